/** Readers for untrusted JSON. */

/**
 * Levels of objects and lists that {@link parseUnique} accepts, the outermost object among them. What is accepted is serialized,
 * compared and put into tokens by functions that recurse, and parsers of verifiers have limits of their own, often 64.
 */
export const MAX_JSON_LEVELS = 32

/**
 * Parses a JSON object of at most {@link MAX_JSON_LEVELS} levels whose member names are unique. Of a repeated member, different
 * parsers could use different values.
 *
 * @throws TypeError or SyntaxError for anything else
 */
export function parseUnique(text: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(text)
  if (!isObject(value) || Array.isArray(value)) throw new TypeError('not an object')
  const { members, levels } = measure(text)
  if (levels > MAX_JSON_LEVELS) throw new TypeError(`more than ${MAX_JSON_LEVELS} levels`)
  if (members !== Object.keys(value).length) throw new TypeError('a member appears twice')
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

/**
 * Counts the members of the outermost object of a valid JSON text, by its colons, and the levels of the whole text. Both ignore
 * what is in strings.
 */
function measure(text: string): { readonly members: number; readonly levels: number } {
  const withoutStrings = text.replace(/"(?:[^"\\]|\\.)*"/gs, '""')
  let [depth, members, levels] = [0, 0, 0]
  for (const character of withoutStrings) {
    if (character === '{' || character === '[') levels = Math.max(levels, ++depth)
    else if (character === '}' || character === ']') depth--
    else if (character === ':' && depth === 1) members++
  }
  return { members, levels }
}
