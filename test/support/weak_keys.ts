/** Public keys under which signatures can be made without a private key, and how they can be written. */

/** Values of an RSA `e`, and whether one is accepted. */
export const EXPONENTS: readonly [text: string, isGood: boolean][] = [
  ['AQAB', true],
  ['Aw', true],
  ['BQ', true],
  ['EQ', true],
  ['Af____8', true],
  ['AgAAAAE', false],
  ['AQAAAAAAAAAB', false],
  // 1, in spellings that one runtime or another decodes.
  ...[
    'AQ',
    'AR',
    'AS',
    'AT',
    'AQ==',
    'AQ=',
    ' AQ',
    'AQ ',
    'A\nQ',
    'AAE',
    'AAE=',
    'AAF',
    'AAG',
    'AQ.',
    'AAAAAQ',
    'AAAB',
    'Q',
    'A',
  ].map((text): [string, boolean] => [text, false]),
  // 0, and even ones.
  ...['', 'AA', 'AAAA', 'Ag', 'BA', 'AQAA', '_v'].map((text): [string, boolean] => [text, false]),
]

/** `y` of the points of order 1, 2, 4 and 8 of Ed25519, little-endian, with both signs, and in forms that are not canonical. */
export const SMALL_ORDER_POINTS: readonly string[] = [
  `01${'00'.repeat(31)}`,
  `01${'00'.repeat(30)}80`,
  '00'.repeat(32),
  `${'00'.repeat(31)}80`,
  `ec${'ff'.repeat(30)}7f`,
  `ec${'ff'.repeat(31)}`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  `ed${'ff'.repeat(30)}7f`,
  `ed${'ff'.repeat(31)}`,
  `ee${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(31)}`,
]

export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text.match(/../g) ?? [], (octet) => Number.parseInt(octet, 16))
}

/** The signature of RSASSA-PKCS1-v1_5 with SHA-256 under an exponent of 1: the padded digest itself. RFC 8017 §9.2 */
export async function forgeRsa(text: string, modulusBytes: number): Promise<Uint8Array> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
  const info = [...fromHex('3031300d060960864801650304020105000420'), ...digest]
  return Uint8Array.from([0, 1, ...Array(modulusBytes - info.length - 3).fill(0xff), 0, ...info])
}

/** A signature under the neutral element of Ed25519, good for every message: R is that element too, S is 0. RFC 8032 §5.1.7 */
export const NEUTRAL_SIGNATURE: Uint8Array = fromHex(`01${'00'.repeat(63)}`)
