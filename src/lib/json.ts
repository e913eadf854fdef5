/** Readers for untrusted JSON. */

/**
 * Parses a JSON object whose member names are unique. Of a repeated member, different parsers could use different values.
 *
 * @throws TypeError or SyntaxError for anything else
 */
export function parseUnique(text: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(text)
  if (!isObject(value) || Array.isArray(value)) throw new TypeError('not an object')
  if (countMembers(text) !== Object.keys(value).length) throw new TypeError('a member appears twice')
  return value
}

/** Returns the value of a JSON text, undefined for any other text. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Returns whether two values are the same in JSON. The order of an object's members does not count. */
export function isSameJson(one: unknown, other: unknown): boolean {
  if (!isObject(one) || !isObject(other)) return one === other
  const names = Object.keys(one)
  return (
    Array.isArray(one) === Array.isArray(other) &&
    names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && isSameJson(one[name], other[name]))
  )
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

/** Counts the members of the outermost object of a valid JSON text by its colons, ignoring those in strings and nested values. */
function countMembers(text: string): number {
  const withoutStrings = text.replace(/"(?:[^"\\]|\\.)*"/gs, '""')
  let depth = 0
  let members = 0
  for (const character of withoutStrings) {
    if (character === '{' || character === '[') depth++
    else if (character === '}' || character === ']') depth--
    else if (character === ':' && depth === 1) members++
  }
  return members
}
