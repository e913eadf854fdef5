import { isLoopback } from './loopback.ts'

/** Returns whether a URL is https, or http of this machine, and has no user information. */
export function isSafeUrl(text: unknown): text is string {
  if (typeof text !== 'string' || !URL.canParse(text)) return false
  const { protocol, hostname, username, password } = new URL(text)
  const isProtected = protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname))
  return isProtected && username === '' && password === ''
}
