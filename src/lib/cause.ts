/** What went wrong, for the operator. */

/** Tells a thrown value in one line, down to what caused it. */
export function causeText(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown)
  const text = `${thrown.name}: ${thrown.message}`
  return thrown.cause === undefined ? text : `${text}; ${causeText(thrown.cause)}`
}

/** Tells where a value was thrown and of what kind it is, without its message. */
export function placeOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return typeof thrown
  const place = thrown.stack?.split('\n').find((line) => /^\s*at .*:\d+/.test(line) || /^[^\s]*@.*:\d+/.test(line))
  return [thrown.name, place?.trim()].filter((part) => part !== undefined).join(' ')
}
