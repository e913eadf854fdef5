/** Loaded before a server: sends its requests to other hosts to OUTSIDE_ORIGIN, so that a test answers them, or does not. */

import process from 'node:process'

const origin = process.env['OUTSIDE_ORIGIN']
const inner = globalThis.fetch

globalThis.fetch = Object.assign((input: RequestInfo | URL, init?: RequestInit) => {
  const { pathname, search } = new URL(input instanceof Request ? input.url : input)
  return inner(new URL(pathname + search, origin), init)
}, inner)
