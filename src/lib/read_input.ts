/** Input that a schema checks. */

import * as v from 'valibot'

/**
 * Reads input by a schema. Where the schema has no message of its own, the sentence says what type is needed.
 *
 * @param refuse makes the error from a sentence that names the first member at fault, such as `scope: must be a string.`
 * @param name of the input itself, if it is a member of something
 * @throws what `refuse` returns
 */
export function readInput<T>(
  schema: v.GenericSchema<unknown, T>,
  input: unknown,
  refuse: (problem: string) => Error,
  name?: string,
): T {
  const read = v.safeParse(schema, input, { abortEarly: true, message: usualMessage })
  if (read.success) return read.output
  const [issue] = read.issues
  const path = [name, v.getDotPath(issue)].filter((part) => part != null).join('.')
  throw refuse(`${path || 'The body'}: ${issue.message}.`)
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'must be a string',
  array: 'must be a list',
  object: 'must be an object',
}

/** Returns the message where a schema has none of its own: those of valibot are about types of JavaScript. */
function usualMessage({ type, received }: v.BaseIssue<unknown>): string {
  return received === 'undefined' ? 'is missing' : (TYPES[type] ?? 'is malformed')
}
