/** A strict reader for DER, the encoding of certificates: definite lengths in their shortest form, no trailing octets. */

export interface Der {
  /** The identifier octet. Tags of several octets are refused. */
  readonly tag: number
  readonly content: Uint8Array
}

/** Identifier octets of ITU-T X.690 §8. */
export const TAG = { boolean: 0x01, integer: 0x02, octetString: 0x04, oid: 0x06, sequence: 0x30, set: 0x31 } as const

/** Reads one element. @throws TypeError if the octets are not exactly one complete element */
export function readDer(octets: Uint8Array): Der {
  const [element, another] = readElements(octets)
  if (element === undefined || another !== undefined) throw new TypeError('not one DER element')
  return element
}

/**
 * Returns the elements of a SEQUENCE or, with another `expected` tag, of another constructed element.
 *
 * @throws TypeError if the element has another tag
 */
export function childrenOf({ tag, content }: Der, expected: number = TAG.sequence): readonly Der[] {
  if (tag !== expected) throw new TypeError('an unexpected DER element')
  return readElements(content)
}

/**
 * Returns an OBJECT IDENTIFIER in dotted decimals.
 *
 * @throws TypeError if the tag is another, or the encoding is not the one that DER prescribes
 */
export function oidOf({ tag, content }: Der): string {
  const isComplete = (content.at(-1) ?? 0x80) < 0x80
  if (tag !== TAG.oid || !isComplete) throw new TypeError('not an object identifier')
  const arcs: number[] = []
  let arc = 0
  for (const octet of content) {
    if (arc === 0 && octet === 0x80) throw new TypeError('an arc with a leading zero')
    arc = arc * 128 + (octet & 0x7f)
    if (arc > Number.MAX_SAFE_INTEGER / 128) throw new TypeError('an arc is too large')
    if (octet < 0x80) {
      arcs.push(arc)
      arc = 0
    }
  }
  const [first = 0, ...rest] = arcs
  const root = Math.min(Math.floor(first / 40), 2)
  return [root, first - root * 40, ...rest].join('.')
}

function readElements(octets: Uint8Array): Der[] {
  const elements: Der[] = []
  let offset = 0
  while (offset < octets.length) {
    const { start, end } = readBounds(octets, offset)
    elements.push({ tag: octets[offset] ?? 0, content: octets.subarray(start, end) })
    offset = end
  }
  return elements
}

function readBounds(octets: Uint8Array, offset: number): { start: number; end: number } {
  const [tag = 0, length = 0x80] = octets.subarray(offset, offset + 2)
  if ((tag & 0x1f) === 0x1f) throw new TypeError('a tag of several octets')
  const more = length < 0x80 ? 0 : length - 0x80
  const start = offset + 2 + more
  const size = more === 0 ? length : octets.subarray(offset + 2, start).reduce((sum, octet) => sum * 256 + octet, 0)
  const isShortest = more === 0 ? length < 0x80 : more <= 3 && size >= 0x80 && octets[offset + 2] !== 0
  if (!isShortest || start + size > octets.length) throw new TypeError('a length that is not DER')
  return { start, end: start + size }
}
