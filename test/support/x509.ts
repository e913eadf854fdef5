/** X.509 certificates put together for a test; their signatures are empty, for this server does not look at them. */

type Octets = readonly number[]

/** Encodes one DER element. */
export function der(tag: number, ...contents: readonly Octets[]): Octets {
  const content = contents.flat()
  const { length } = content
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return [tag, ...size, ...content]
}

export const text = (tag: number, value: string): Octets =>
  der(
    tag,
    [...value].map((character) => character.charCodeAt(0)),
  )
export const utcTime = (value: string): Octets => text(0x17, value)
export const generalizedTime = (value: string): Octets => text(0x18, value)

const ATTRIBUTES = { CN: [0x55, 4, 3], O: [0x55, 4, 10], OU: [0x55, 4, 11] } as const

export function attribute(name: keyof typeof ATTRIBUTES, value: Octets): Octets {
  return der(0x30, der(0x06, ATTRIBUTES[name]), value)
}

/** A name of one relative name for each list of attributes. */
export function nameOf(...relative: readonly (readonly Octets[])[]): Octets {
  return der(0x30, ...relative.map((attributes) => der(0x31, ...attributes)))
}

/** Subject alternative names, each an element of its own kind. */
export function altNames(names: readonly Octets[], isCritical = false): Octets {
  const critical = isCritical ? [der(0x01, [0xff])] : []
  return der(0x30, der(0x06, [0x55, 0x1d, 17]), ...critical, der(0x04, der(0x30, ...names)))
}

/** The extension basicConstraints of an end entity. */
export const basicConstraints: Octets = der(0x30, der(0x06, [0x55, 0x1d, 19]), der(0x04, der(0x30)))

export interface Parts {
  readonly subject?: Octets
  /** What stands in `validity`. */
  readonly times?: readonly Octets[]
  readonly extensions?: readonly Octets[]
  /** Version 1 has no field for it. */
  readonly isVersion1?: boolean
}

export function certificateOf({
  subject,
  times,
  extensions = [],
  isVersion1 = false,
}: Parts = {}): Uint8Array<ArrayBuffer> {
  const issuer = nameOf([attribute('CN', text(0x0c, 'CA'))])
  const algorithm = der(0x30, der(0x06, [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]))
  const validity = der(0x30, ...(times ?? [utcTime('200101000000Z'), utcTime('491231235959Z')]))
  const key = der(0x30, algorithm, der(0x03, [0, 4]))
  const tbs = der(
    0x30,
    ...(isVersion1 ? [] : [der(0xa0, der(0x02, [2]))]),
    ...[der(0x02, [1]), algorithm, issuer, validity, subject ?? nameOf([attribute('CN', text(0x0c, 'a'))]), key],
    ...(extensions.length === 0 ? [] : [der(0xa3, der(0x30, ...extensions))]),
  )
  return Uint8Array.from(der(0x30, tbs, algorithm, der(0x03, [0])))
}
