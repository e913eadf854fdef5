/** What went wrong, for the operator. */

/** Tells a thrown value in one line, down to what caused it. */
export function causeText(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown)
  const text = `${thrown.name}: ${thrown.message}`
  return thrown.cause === undefined ? text : `${text}; ${causeText(thrown.cause)}`
}
