/** Descriptions of thrown values, for the operator. */

/** Returns a thrown value and its chain of causes as one line. */
export function causeText(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown)
  const text = `${thrown.name}: ${thrown.message}`
  return thrown.cause === undefined ? text : `${text}; ${causeText(thrown.cause)}`
}

/** Returns the kind of a thrown value and where it was thrown, without its message. */
export function placeOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return typeof thrown
  const place = thrown.stack?.split('\n').find((line) => /^\s*at .*:\d+/.test(line) || /^[^\s]*@.*:\d+/.test(line))
  return [thrown.name, place?.trim()].filter((part) => part !== undefined).join(' ')
}
