/** The change of the register for each octet. */
const TABLE = Uint32Array.from({ length: 256 }, (_, octet) => {
  let register = octet
  for (let bit = 0; bit < 8; bit++) register = (register >>> 1) ^ (register & 1 ? 0xedb88320 : 0)
  return register
})

/**
 * Returns the checksum of ISO 3309, as in ZIP and PNG, over the first `length` octets, by default all. It detects typing errors and
 * protects nothing.
 */
export function crc32(octets: Uint8Array, length: number = octets.length): number {
  let register = 0xffffffff
  for (let index = 0; index < length; index++) {
    register = (register >>> 8) ^ (TABLE[(register ^ (octets[index] ?? 0)) & 0xff] ?? 0)
  }
  return (register ^ 0xffffffff) >>> 0
}
