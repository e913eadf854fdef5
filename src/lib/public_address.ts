/** Whether an IP address is one of the internet at large. */

import ipaddr from 'ipaddr.js'

/** Takes IPv4 and IPv6, the latter also in brackets; private, loopback, link-local and other special ranges give false. */
export function isPublicAddress(text: string): boolean {
  const address = text.replace(/^\[|\]$/g, '')
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'unicast'
}
