/** Loopback hosts, RFC 6761 §6.3, RFC 1122 §3.2.1.3 and RFC 4291 §2.5.3. */

/** @param hostname as in `URL.hostname`: IPv6 in brackets, no port */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)
}
