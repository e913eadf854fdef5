/** Untrusted text that is shown to people: nothing in it may look like something else. */

/** Controls, formatting and bidirectional marks, lone surrogates, private and unassigned code points, line separators. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u
const EVERY_UNSEEN = new RegExp(UNSEEN, 'gu')

const BEYOND_ASCII = /[^\x20-\x7e]/

/** Scripts with letters that look alike; a text may use only one of them. */
const LOOKALIKES = [
  /\p{Script=Latin}/u,
  /\p{Script=Cyrillic}/u,
  /\p{Script=Greek}/u,
  /\p{Script=Armenian}/u,
  /\p{Script=Cherokee}/u,
]

/**
 * Returns whether a text contains only visible characters, is in normalization form NFKC, and mixes no scripts that look alike.
 *
 * @see {@link https://www.unicode.org/reports/tr39/#Restriction_Level_Detection Unicode Technical Standard 39 §5.2}
 */
export function isPlainText(text: string): boolean {
  if (UNSEEN.test(text) || text !== text.normalize('NFKC') || text !== text.trim()) return false
  return LOOKALIKES.filter((script) => script.test(text)).length <= 1
}

/** Returns JSON of the same value in which each invisible character is written as `\uXXXX`. */
export function escapeUnseen(json: string): string {
  if (!BEYOND_ASCII.test(json)) return json
  return json.replace(EVERY_UNSEEN, (character) =>
    Array.from({ length: character.length }, (_, index) => toEscape(character.charCodeAt(index))).join(''),
  )
}

function toEscape(codeUnit: number): string {
  return `\\u${codeUnit.toString(16).padStart(4, '0')}`
}
