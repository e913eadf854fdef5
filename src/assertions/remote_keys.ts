/** Documents of other hosts, such as the keys at a `jwks_uri`: fetched from public hosts only, small, and without redirects. */

import * as v from 'valibot'
import { temporarilyUnavailable } from '../errors.ts'
import { isPublicAddress } from '../lib/ip_address.ts'
import { parseJson } from '../lib/json.ts'
import { readBytes } from '../lib/read_bytes.ts'
import { within } from '../lib/within.ts'
import type { Jwk } from '../types.ts'
import { JwkSet } from './jwk_set.ts'
import { COOL_DOWN_SECONDS, keyCache } from './key_cache.ts'

const MAX_BYTES = 64 * 1024
const TIMEOUT_SECONDS = 3

/**
 * Returns the keys of a URL. Rejects with OAuthError `temporarily_unavailable` when they cannot be fetched and none are cached.
 *
 * `refresh` fetches them even if the cached ones are fresh, at most every 30 seconds.
 */
export type RemoteKeys = (url: string, options?: { readonly refresh: boolean }) => Promise<readonly Jwk[]>

/** How documents of other hosts are fetched. */
export interface FetchOptions {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>
  /** Returns the addresses of a host name. Absent where the runtime cannot resolve names. */
  readonly resolve?: ((hostname: string) => Promise<readonly string[]>) | undefined
}

export interface RemoteKeysOptions extends FetchOptions {
  /** Returns epoch seconds. */
  now(): number
}

/** Returns a function that fetches and caches key sets. */
export function remoteKeys(options: RemoteKeysOptions): RemoteKeys {
  const find = keyCache({
    now: () => options.now(),
    unavailable: (cause) =>
      temporarilyUnavailable('jwks_uri_failed', 'The keys of this client cannot be fetched.', cause, COOL_DOWN_SECONDS),
  })
  return (url, refresh) => find(url, async () => ({ keys: await fetchKeys(url, options) }), refresh)
}

/** Fetches a JWK Set of at most 20 keys. Rejects as {@link fetchJson} does, and for a document of another form. */
export async function fetchKeys(url: string, options: FetchOptions): Promise<readonly Jwk[]> {
  return readDocument(JwkSet, await fetchJson(url, options), 'a JWK Set of at most 20 keys').keys
}

/**
 * Returns a fetched document as its schema describes it.
 *
 * @param kind of document, for the error, which quotes nothing of what was fetched
 * @throws Error when the document is of another form
 */
export function readDocument<T>(schema: v.GenericSchema<unknown, T>, document: unknown, kind: string): T {
  const read = v.safeParse(schema, document)
  if (!read.success) throw new Error(`the document is not ${kind}`)
  return read.output
}

/**
 * Fetches a JSON document of at most 64 KiB from a public host, without following redirects.
 *
 * @throws Error with the cause, when there is no such document within 3 seconds
 */
export async function fetchJson(url: string, options: FetchOptions): Promise<unknown> {
  const timeoutText = `no answer within ${TIMEOUT_SECONDS} s`
  if (options.resolve !== undefined) await within(TIMEOUT_SECONDS, requirePublic(url, options), timeoutText)
  if (!isPublicUrl(url)) throw new Error('not an https URL of a public host')
  const signal = AbortSignal.timeout(TIMEOUT_SECONDS * 1000)
  const headers = { Accept: 'application/jwk-set+json, application/json' }
  const response = await fetchBy(options, url, { redirect: 'manual', headers, signal })
  if (response.status !== 200) throw new Error(`status ${response.status}`)
  const body = await readBytes(response, MAX_BYTES)
  const document = parseJson(new TextDecoder().decode(body))
  // The message of the parser would quote the document.
  if (document === undefined) throw new Error('the document is not JSON')
  return document
}

/** Calls the `fetch` of its owner, by default that of the runtime, which on Workers must not be called as a method of another object. */
export function fetchBy(
  owner: Partial<Pick<FetchOptions, 'fetch'>>,
  url: string,
  init: RequestInit,
): Promise<Response> {
  return owner.fetch === undefined || owner.fetch === globalThis.fetch ? fetch(url, init) : owner.fetch(url, init)
}

/** A registered URL must not make this server send requests to hosts that only this server can reach. */
async function requirePublic(url: string, options: FetchOptions): Promise<void> {
  const { hostname } = new URL(url)
  const addresses = (await options.resolve?.(hostname.replace(/^\[|\]$/g, ''))) ?? []
  if (addresses.length === 0 || !addresses.every(isPublicAddress)) throw new Error('not a public address')
}

/** Returns whether a URL is https, has no user information, and has a host that is not evidently private. Resolves no name. */
export function isPublicUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, username, password } = new URL(text)
  if (protocol !== 'https:' || username !== '' || password !== '') return false
  const isAddress = /^\[|^[\d.]+$/.test(hostname)
  return isAddress ? isPublicAddress(hostname) : isPublicName(hostname.replace(/\.$/, ''))
}

/** False for names that are not in the public DNS, RFC 6761, RFC 6762 and RFC 8375. */
function isPublicName(name: string): boolean {
  return name.includes('.') && !/\.(localhost|local|internal|home\.arpa)$/.test(name)
}
