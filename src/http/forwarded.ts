/** The address of a caller behind proxies, which report it in header fields. */

import { isInNetworks, type Network, plainAddress, readNetworks } from '../lib/ip_address.ts'
import type { FindAddress } from './caller.ts'

/** Proxies write far shorter elements; a longer one is not read. */
const MAX_ELEMENT_CHARACTERS = 512

/**
 * Returns a function that finds the address of the caller: that of the peer or, if the peer is a trusted proxy, the last address
 * in `Forwarded` or `X-Forwarded-For` that is not one of a trusted proxy, or the first if all are. Where the fields are malformed
 * or disagree, it is the peer, because a caller can send them, too.
 *
 * @param trustedProxies addresses and CIDR ranges
 * @see {@link https://www.rfc-editor.org/rfc/rfc7239#section-5.2 RFC 7239 §5.2}
 */
export function forwardedAddress(trustedProxies: readonly string[]): FindAddress {
  const networks = readNetworks(trustedProxies)
  return (headers, peer) => findAddress(headers, peer, networks)
}

function findAddress(headers: Headers, plain: string, trustedProxies: readonly Network[]): string {
  if (!isInNetworks(plain, trustedProxies)) return plain
  const nodesOf = { Forwarded: forwardedFor, 'X-Forwarded-For': (element: string) => element }
  const found = Object.entries(nodesOf).flatMap(([name, nodeOf]) => {
    const field = headers.get(name)
    return field === null ? [] : (findCaller(field, nodeOf, trustedProxies) ?? plain)
  })
  const [address = plain] = found
  // A proxy that adds to one of the fields passes on the other as it was sent.
  return found.every((each) => each === address) ? address : plain
}

/** Reads a field from its end, and no further than to the first element that no trusted proxy added. */
function findCaller(
  field: string,
  nodeOf: (element: string) => string | undefined,
  trustedProxies: readonly Network[],
): string | undefined {
  let address: string | undefined
  let end = field.length
  while (end >= 0) {
    const start = startOfElement(field, end)
    if (start === undefined) return undefined
    const element = field.slice(start, end).trim()
    end = start - 1
    if (element === '') continue
    address = addressOf(nodeOf(element))
    if (address === undefined || !isInNetworks(address, trustedProxies)) return address
  }
  return address
}

/** Returns where the element begins that ends at `end`. Commas in quotes do not separate elements. */
function startOfElement(field: string, end: number): number | undefined {
  let isQuoted = false
  for (let index = end - 1; index >= end - MAX_ELEMENT_CHARACTERS; index--) {
    const character = field[index]
    if (character === undefined || (character === ',' && !isQuoted)) return index + 1
    if (character === '"' && !isEscaped(field, index)) isQuoted = !isQuoted
  }
  return undefined
}

function isEscaped(field: string, index: number): boolean {
  let backslashes = 0
  while (backslashes < MAX_ELEMENT_CHARACTERS && field[index - 1 - backslashes] === '\\') backslashes++
  return backslashes % 2 === 1
}

/** `token "=" ( token / quoted-string )`, RFC 7239 §4. */
const PAIR = /[ \t]*([\w!#$%&'*+.^`|~-]+)=(?:([^\s",;\\]*)|"((?:[^"\\]|\\.)*)")[ \t]*(?:;|$)/gy

/** Returns the parameter `for` of an element, undefined if there is not exactly one. */
function forwardedFor(element: string): string | undefined {
  const pairs = [...element.matchAll(PAIR)]
  const isWhole = pairs.map(([text]) => text).join('') === element
  const nodes = pairs.flatMap(([, name, token, quoted]) =>
    name?.toLowerCase() === 'for' ? (token ?? quoted?.replace(/\\(.)/g, '$1') ?? '') : [],
  )
  return isWhole && nodes.length === 1 ? nodes[0] : undefined
}

/** An address and perhaps a port. IPv6 has brackets if there is a port. */
const NODE = /^(?:\[([^\]]*)\]|([\d.]+))(?::\d{1,5})?$/

function addressOf(node = ''): string | undefined {
  const [, ipv6, ipv4] = NODE.exec(node) ?? []
  return plainAddress(ipv6 ?? ipv4 ?? node)
}
