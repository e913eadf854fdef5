/** Documents of the issuer: small, without redirects, and within a few seconds. */

import { readBytes } from '../lib/read_bytes.ts'
import { FETCH_SECONDS } from './refreshed.ts'

/** `fetch`, or what stands in for it. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

/** Calls the `fetch` of the runtime. On Workers it must not be called as a method of another object. */
export const platformFetch: Fetch = (url, init) => fetch(url, init)

/** An answer other than 200. */
class StatusError extends Error {
  readonly status: number

  constructor(status: number) {
    super(`status ${status}`)
    this.status = status
  }
}

/** Returns whether the server answered that there is no such document. */
export function isNotFound(cause: unknown): boolean {
  return cause instanceof StatusError && cause.status === 404
}

/** Returns the text of a document. Rejects when there is none of at most `maxBytes` in time. */
export async function fetchText(fetch: Fetch, url: string, maxBytes: number, init: RequestInit = {}): Promise<string> {
  const signal = AbortSignal.timeout(FETCH_SECONDS * 1000)
  const response = await fetch(url, { ...init, redirect: 'manual', signal })
  if (response.status !== 200) {
    await response.body?.cancel()
    throw new StatusError(response.status)
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(await readBytes(response, maxBytes))
}

/** Returns a JSON object. Rejects when there is none. */
export async function fetchObject(
  fetch: Fetch,
  url: string,
  maxBytes: number,
): Promise<Readonly<Record<string, unknown>>> {
  const document: unknown = JSON.parse(
    await fetchText(fetch, url, maxBytes, { headers: { Accept: 'application/json' } }),
  )
  if (typeof document !== 'object' || document === null) throw new TypeError('the document is not a JSON object')
  return document as Readonly<Record<string, unknown>>
}
