/** The readers of JSON, compared with a parser that keeps every member. */

import assert from 'node:assert/strict'
import fc from 'fast-check'
import { MAX_JSON_LEVELS, parseJson, parseUnique, parseUniqueThroughout } from '../../../src/lib/json.ts'
import { edited, edits, type Fuzzed, fuzzed, readOr, sameVerdict } from '../fuzzed.ts'

/** What the readers ask of a JSON text. */
interface Found {
  readonly isObject: boolean
  readonly isOutermostUnique: boolean
  readonly isUnique: boolean
  /** Whether no escaped name has a character that must be escaped. */
  readonly isPlain: boolean
  /** Of all members, in order. */
  readonly names: readonly string[]
  readonly levels: number
}

const SPACE = /[ \t\n\r]*/y
const STRING = /"(?:[^"\\\p{Cc}]|[\x7f-\x9f]|\\["\\/bfnrt]|\\u[\da-fA-F]{4})*"/uy
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y

/** Parses a text by the grammar of RFC 8259, with a stack of its own. Returns undefined unless the whole text is one value. */
function inspect(text: string): Found | undefined {
  let [place, levels, isOutermostUnique, isUnique, isPlain] = [0, 0, true, true, true]
  const all: string[] = []
  const stack: (Set<string> | 'list')[] = []
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = place
    const found = pattern.exec(text)?.[0]
    place += found?.length ?? 0
    return found
  }
  const takeOne = (character: string): boolean => {
    take(SPACE)
    if (text[place] !== character) return false
    place++
    return true
  }
  const takeName = (names: Set<string>): boolean => {
    take(SPACE)
    const name = take(STRING)
    if (name === undefined || !takeOne(':')) return false
    const decoded = JSON.parse(name) as string
    if (names.has(decoded)) {
      isUnique = false
      if (stack.length === 1) isOutermostUnique = false
    }
    names.add(decoded)
    all.push(decoded)
    const isRaw = !name.includes('\\')
    if (!isRaw && (/["\\\p{Cs}]/u.test(decoded) || [...decoded].some((character) => character < ' '))) isPlain = false
    return true
  }
  take(SPACE)
  const isObject = text[place] === '{'
  for (;;) {
    // A value.
    take(SPACE)
    const opening = text[place]
    if (opening === '{' || opening === '[') {
      place++
      const level = opening === '{' ? new Set<string>() : 'list'
      stack.push(level)
      levels = Math.max(levels, stack.length)
      if (takeOne(opening === '{' ? '}' : ']')) stack.pop()
      else {
        if (level !== 'list' && !takeName(level)) return undefined
        continue
      }
    } else if ((opening === '"' ? take(STRING) : take(SCALAR)) === undefined) return undefined
    // What follows a value.
    for (;;) {
      const level = stack.at(-1)
      if (level === undefined) {
        take(SPACE)
        return place === text.length
          ? { isObject, isOutermostUnique, isUnique, isPlain, names: all, levels }
          : undefined
      }
      if (takeOne(',')) {
        if (level !== 'list' && !takeName(level)) return undefined
        break
      }
      if (!takeOne(level === 'list' ? ']' : '}')) return undefined
      stack.pop()
    }
  }
}

const PIECES = [
  '"',
  '\\',
  '{',
  '}',
  '[',
  ']',
  ':',
  ',',
  '"a"',
  '"a":',
  '\\u0061',
  '\\"',
  '0',
  '-',
  '1e5',
  ' ',
  '\n',
  '\u2028',
]
const name = fc.constantFrom('"a"', '"b"', '"\\u0061"', '"__proto__"', '""', '"\\\\"', '":"', '"{"', '"\\""')
const scalar = fc.constantFrom('0', '-1.5e3', 'true', 'null', '"a:b"', '"\\u00e9"', '"[{"', '1e999', '"\\ud800"')

const { value } = fc.letrec<{ value: string; object: string; list: string }>((tie) => ({
  value: fc.oneof({ depthSize: 'small', withCrossShrink: true }, scalar, tie('object'), tie('list')),
  object: fc
    .array(fc.tuple(name, tie('value')), { maxLength: 4 })
    .map((members) => `{${members.map(([each, held]) => `${each}:${held}`).join(',')}}`),
  list: fc.array(tie('value'), { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
}))

const documents = fc
  .tuple(value, fc.nat({ max: 40 }), fc.boolean(), edits(PIECES))
  .map(([inner, depth, isObject, changes]) => {
    const deep = depth < 25 ? inner : `${'[{"a":'.repeat(depth / 2)}${inner}${'}]'.repeat(depth / 2)}`
    return edited(isObject ? `{"a":${deep}}` : deep, changes)
  })

function namesOf(held: unknown): string[] {
  if (typeof held !== 'object' || held === null) return []
  return [...(Array.isArray(held) ? [] : Object.keys(held)), ...Object.values(held).flatMap(namesOf)]
}

const json = fuzzed('json', documents, (text) => {
  const found = inspect(text)
  assert.equal(parseJson(text) !== undefined, found !== undefined)
  const isShallow = found?.isObject === true && found.isPlain && found.levels <= MAX_JSON_LEVELS
  const outermost = readOr(() => parseUnique(text), TypeError, SyntaxError)
  const throughout = readOr(() => parseUniqueThroughout(text), TypeError, SyntaxError)
  sameVerdict(outermost, isShallow && found.isOutermostUnique)
  sameVerdict(throughout, isShallow && found.isUnique)
  if (throughout === undefined) return
  assert.deepEqual(namesOf(throughout.value).sort(), found?.names.toSorted())
  // `JSON.parse` of V8 misreads escaped names.
  if (!text.includes('\\')) assert.deepEqual(throughout.value, JSON.parse(text))
})

export const JSON_TEXTS: readonly Fuzzed[] = [json]
