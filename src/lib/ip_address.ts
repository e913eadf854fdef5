/**
 * Strict IP addresses and ranges: IPv4 as four decimal numbers without leading zeros, IPv6 in the form of RFC 4291 §2.2.
 * Any other form is refused, because two programs could read it as different addresses.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6943#section-3.1.1 RFC 6943 §3.1.1}
 */

import ipaddr from 'ipaddr.js'

type Address = ipaddr.IPv4 | ipaddr.IPv6

/**
 * Ranges that ipaddr.js classifies as unicast but that are not public: IPv4-compatible IPv6 (RFC 4291 §2.5.5.1), the dummy
 * prefix (RFC 9780), and the address of the host of an Azure virtual machine.
 */
const NOT_PUBLIC = ['::/96', '100:0:0:1::/64', '168.63.129.16/32']

/** Returns whether the host of a URL, or an address from DNS, is public: not private, loopback, link-local or otherwise special. */
export function isPublicAddress(text: string): boolean {
  return readHost(text)?.range() === 'unicast' && !isInRanges(text, NOT_PUBLIC)
}

/** Returns whether the address of a host or a peer is a loopback address, RFC 1122 §3.2.1.3 and RFC 4291 §2.5.3. */
export function isLoopbackAddress(text: string): boolean {
  return readHost(text)?.range() === 'loopback'
}

/** Returns whether a text is an address without brackets or zone. */
export function isAddress(text: string): boolean {
  return readAddress(text) !== undefined
}

/** Returns whether a text is an address or a CIDR range. */
export function isRange(text: string): boolean {
  return readRange(text) !== undefined
}

/** Returns whether the address of a host or a peer is in one of the ranges. A malformed range contains no address. */
export function isInRanges(text: string, ranges: readonly string[]): boolean {
  return isInNetworks(text, readNetworks(ranges))
}

/** A range that was read. */
export type Network = readonly [network: Address, bits: number]

/** Reads ranges, so that addresses are compared with them at less cost. A malformed range contains no address. */
export function readNetworks(ranges: readonly string[]): readonly Network[] {
  return ranges.flatMap((range) => {
    const network = readRange(range)
    return network === undefined ? [] : [network]
  })
}

/** Returns whether the address of a host or a peer is in one of the networks. */
export function isInNetworks(text: string, networks: readonly Network[]): boolean {
  if (networks.length === 0) return false
  const address = readHost(text)
  return address !== undefined && networks.some((network) => isIn(address, network))
}

/** Returns the canonical text of the address of a host or a peer: without brackets or zone, IPv4 not mapped to IPv6. */
export function plainAddress(text: string): string | undefined {
  return readHost(text)?.toString()
}

/** Returns the canonical text of an address of 4 or 16 octets. @throws TypeError for any other length */
export function addressText(octets: Uint8Array): string {
  if (octets.length !== 4 && octets.length !== 16) throw new TypeError('not the octets of an address')
  return ipaddr.fromByteArray([...octets]).toString()
}

/**
 * Returns whether two texts are the same address. An IPv4 address and its IPv4-mapped IPv6 form are different addresses.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8705#section-2.1.2 RFC 8705 §2.1.2}
 */
export function isSameAddress(one: string, other: string): boolean {
  const address = readAddress(one)
  return address !== undefined && address.toString() === readAddress(other)?.toString()
}

function isIn(address: Address, [network, bits]: Network): boolean {
  return network.kind() === address.kind() && address.match(network, bits)
}

function readRange(text: string): Network | undefined {
  const [, network = text, length] = /^(.*)\/(0|[1-9]\d{0,2})$/.exec(text) ?? []
  const address = readAddress(network)
  if (address === undefined) return undefined
  const width = address.toByteArray().length * 8
  const bits = length === undefined ? width : Number(length)
  if (bits > width) return undefined
  const unmapped = unmap(address)
  if (unmapped === address) return [address, bits]
  // A shorter prefix would contain IPv4 addresses and others.
  return bits < MAPPED_BITS ? undefined : [unmapped, bits - MAPPED_BITS]
}

/** Length of the prefix `::ffff:0:0/96`, RFC 4291 §2.5.5.2. */
const MAPPED_BITS = 96

/** Reads an address as URLs and runtimes write it: possibly in brackets, with a zone, or IPv4 mapped to IPv6. */
function readHost(text: string): Address | undefined {
  const address = readAddress(text.replace(/^\[(.*)\]$/, '$1').replace(/%[^%]*$/, ''))
  return address && unmap(address)
}

function unmap(address: Address): Address {
  return address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() ? address.toIPv4Address() : address
}

function readAddress(text: string): Address | undefined {
  const isStrict = text.includes(':') ? isIpv6(text) : ipaddr.IPv4.isValidFourPartDecimal(text)
  return isStrict ? ipaddr.parse(text) : undefined
}

/** ipaddr.js also accepts zones and octal numbers, and reads `::1.2.3.4` as if it were `::ffff:1.2.3.4`. */
function isIpv6(text: string): boolean {
  const [, before, ipv4] = /^(.*:)(\d[\d.]*\.[\d.]*)$/.exec(text) ?? []
  const isTailStrict = ipv4 === undefined || (before !== '::' && ipaddr.IPv4.isValidFourPartDecimal(ipv4))
  return /^[\da-f:.]+$/i.test(text) && isTailStrict && ipaddr.IPv6.isValid(text)
}
