/** IP addresses: what kind they are, and which belong together. Takes IPv4 and IPv6, the latter also in brackets. */

import ipaddr from 'ipaddr.js'

/** Unicast by the registries, yet within a network: IPv4-compatible IPv6 (RFC 4291 §2.5.5.1), and the host of an Azure machine. */
const NOT_PUBLIC = ['::/96', '168.63.129.16/32']

/** Private, loopback, link-local and other special addresses give false. */
export function isPublicAddress(text: string): boolean {
  return parse(text)?.range() === 'unicast' && !isInRanges(text, NOT_PUBLIC)
}

/** Addresses that only this machine can have, RFC 1122 §3.2.1.3 and RFC 4291 §2.5.3. */
export function isLoopbackAddress(text: string): boolean {
  return parse(text)?.range() === 'loopback'
}

/** Whether a text is an address or a CIDR range. */
export function isRange(text: string): boolean {
  return ipaddr.isValid(text) || ipaddr.isValidCIDR(text)
}

/** Whether an address is in one of the ranges, each an address or CIDR. */
export function isInRanges(text: string, ranges: readonly string[]): boolean {
  const address = parse(text)
  return address !== undefined && ranges.some((range) => contains(range, address))
}

/** Gives an address, 4 or 16 octets, as a text that is the same for the same address. @throws Error for another number of octets */
export function addressText(octets: Uint8Array): string {
  return ipaddr.fromByteArray([...octets]).toString()
}

/** Whether two texts write the same address. */
export function isSameAddress(one: string, other: string): boolean {
  const address = parse(one)
  return address !== undefined && address.toString() === parse(other)?.toString()
}

function contains(range: string, address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  const [network, bits] = ipaddr.isValidCIDR(range) ? ipaddr.parseCIDR(range) : [parse(range), undefined]
  if (network === undefined || network.kind() !== address.kind()) return false
  return address.match(network, bits ?? network.toByteArray().length * 8)
}

/** An IPv4 address in the form of IPv6 is taken for what it is. */
function parse(text: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  const address = text.replace(/^\[|\]$/g, '')
  return ipaddr.isValid(address) ? ipaddr.process(address) : undefined
}
