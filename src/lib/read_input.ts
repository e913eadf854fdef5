/** Input that a schema checks. */

import * as v from 'valibot'

/**
 * Reads input by a schema.
 *
 * @param refuse makes the error from a sentence that names the first member at fault, such as `scope: must be a string.`
 * @param name names the input in that sentence instead of a member of it
 * @throws what `refuse` returns
 */
export function readInput<T>(
  schema: v.GenericSchema<unknown, T>,
  input: unknown,
  refuse: (problem: string) => Error,
  name?: string,
): T {
  const read = v.safeParse(schema, input, { abortEarly: true })
  if (read.success) return read.output
  const [issue] = read.issues
  throw refuse(`${name ?? v.getDotPath(issue) ?? 'The body'}: ${issue.message}.`)
}
