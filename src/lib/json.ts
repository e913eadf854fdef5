/** Readers for untrusted JSON. */

/**
 * Levels of objects and lists that {@link parseUnique} accepts, the outermost object among them. What is accepted is serialized,
 * compared and put into tokens by functions that recurse, and parsers of verifiers have limits of their own, often 64.
 */
export const MAX_JSON_LEVELS = 32

/**
 * Parses a JSON object of at most {@link MAX_JSON_LEVELS} levels whose member names are unique. Of a repeated member, different
 * parsers could use different values. No name may have a quotation mark, a backslash, a control character or half a surrogate pair.
 *
 * @throws TypeError or SyntaxError for anything else
 */
export function parseUnique(text: string): Readonly<Record<string, unknown>> {
  const { value, outermost } = parseMeasured(text)
  if (outermost !== Object.keys(value).length) throw new TypeError('a member appears twice')
  return value
}

/**
 * Parses a JSON object as {@link parseUnique} does, and requires unique member names in the objects inside it, too.
 *
 * @throws TypeError or SyntaxError for anything else
 */
export function parseUniqueThroughout(text: string): Readonly<Record<string, unknown>> {
  const { value, members } = parseMeasured(text)
  if (members !== countMembers(value)) throw new TypeError('a member appears twice')
  return value
}

function parseMeasured(text: string): { value: Readonly<Record<string, unknown>> } & Omit<Measures, 'levels'> {
  const value: unknown = JSON.parse(text.includes('\\') ? withPlainNames(text) : text)
  if (!isObject(value) || Array.isArray(value)) throw new TypeError('not an object')
  const { levels, ...counts } = measure(text)
  if (levels > MAX_JSON_LEVELS) throw new TypeError(`more than ${MAX_JSON_LEVELS} levels`)
  return { value, ...counts }
}

const NAME = /("(?:[^"\\]|\\.)*")([ \t\n\r]*:)?/gs

/**
 * Returns a JSON text in which no member name has an escape. `JSON.parse` of V8 compares what an escaped name begins with to a
 * name that it has met before: once any text had `"\\"` as a name, it reads `"\u0061"` as that one, and not as `a`.
 *
 * @throws TypeError for a name that cannot be written without, SyntaxError for a malformed one
 */
function withPlainNames(text: string): string {
  return text.replace(NAME, (found: string, name: string, colon: string | undefined) => {
    if (colon === undefined || !name.includes('\\')) return found
    const plain = JSON.stringify(JSON.parse(name))
    if (plain.includes('\\')) throw new TypeError('a member name has a character that must be escaped')
    return plain + colon
  })
}

/** Counts the members of all objects in a value. */
function countMembers(value: unknown): number {
  if (!isObject(value)) return 0
  const inside = Object.values(value)
  const own = Array.isArray(value) ? 0 : inside.length
  return inside.reduce<number>((sum, each) => sum + countMembers(each), own)
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

/** Returns whether a value is an object or a list. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

interface Measures {
  /** Members of the outermost object. */
  readonly outermost: number
  /** Members of all objects. */
  readonly members: number
  readonly levels: number
}

/** Counts the members in a valid JSON text, by its colons, and its levels. Both ignore what is in strings. */
function measure(text: string): Measures {
  const withoutStrings = text.replace(/"(?:[^"\\]|\\.)*"/gs, '""')
  let [depth, outermost, members, levels] = [0, 0, 0, 0]
  for (const character of withoutStrings) {
    if (character === '{' || character === '[') levels = Math.max(levels, ++depth)
    else if (character === '}' || character === ']') depth--
    else if (character === ':') {
      members++
      if (depth === 1) outermost++
    }
  }
  return { outermost, members, levels }
}
