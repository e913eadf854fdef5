/** Key sets that clients publish at their `jwks_uri`: fetched from public hosts only, cached, and used while the URL fails. */

import * as v from 'valibot'
import { temporarilyUnavailable } from '../errors.ts'
import { isPublicAddress } from '../lib/ip_address.ts'
import { lru } from '../lib/lru.ts'
import { readBytes } from '../lib/read_bytes.ts'
import { singleFlight } from '../lib/single_flight.ts'
import { within } from '../lib/within.ts'
import type { Jwk } from '../types.ts'
import { JwkSet } from './jwk_set.ts'

const FRESH_SECONDS = 300

/** Minimum time between two fetches of a URL, whether an assertion names an unknown key or the URL fails. */
const COOL_DOWN_SECONDS = 30

/** Time for which keys are used after their freshness has ended, while their URL fails. */
const STALE_SECONDS = 3600

const MAX_URLS = 1000
const MAX_BYTES = 64 * 1024
const TIMEOUT_SECONDS = 3

/**
 * Returns the keys of a URL. Rejects with OAuthError `temporarily_unavailable` when they cannot be fetched and none are cached.
 *
 * `refresh` fetches them even if the cached ones are fresh, at most every 30 seconds.
 */
export type RemoteKeys = (url: string, options?: { readonly refresh: boolean }) => Promise<readonly Jwk[]>

export interface RemoteKeysOptions {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>
  /** Returns the addresses of a host name. Absent where the runtime cannot resolve names. */
  readonly resolve?: ((hostname: string) => Promise<readonly string[]>) | undefined
  /** Returns epoch seconds. */
  now(): number
}

interface Held {
  readonly keys: readonly Jwk[]
  readonly readAt: number
}

/** Returns a function that fetches and caches key sets. */
export function remoteKeys(options: RemoteKeysOptions): RemoteKeys {
  const now = (): number => options.now()
  const held = lru<Held>(MAX_URLS)
  const triedAt = lru<number>(MAX_URLS)
  const fetching = singleFlight<readonly Jwk[]>(TIMEOUT_SECONDS)

  const fetchAndCache = async (url: string): Promise<readonly Jwk[]> => {
    const startedAt = now()
    if (startedAt < (triedAt.get(url) ?? Number.NEGATIVE_INFINITY) + COOL_DOWN_SECONDS) {
      throw new Error(`the last fetch was less than ${COOL_DOWN_SECONDS} s ago`)
    }
    triedAt.set(url, startedAt)
    const keys = await fetchKeys(url, options)
    held.set(url, { keys, readAt: startedAt })
    return keys
  }

  return async (url, { refresh } = { refresh: false }) => {
    const known = held.get(url)
    const age = known === undefined ? Number.POSITIVE_INFINITY : now() - known.readAt
    if (known !== undefined && age < FRESH_SECONDS && !refresh) return known.keys
    try {
      return await fetching(url, () => fetchAndCache(url))
    } catch (cause) {
      if (known !== undefined && age < FRESH_SECONDS + STALE_SECONDS) return known.keys
      throw temporarilyUnavailable(
        'jwks_uri_failed',
        'The keys of this client cannot be fetched.',
        cause,
        COOL_DOWN_SECONDS,
      )
    }
  }
}

async function fetchKeys(url: string, options: RemoteKeysOptions): Promise<readonly Jwk[]> {
  const timeoutText = `no answer within ${TIMEOUT_SECONDS} s`
  if (options.resolve !== undefined) await within(TIMEOUT_SECONDS, requirePublic(url, options), timeoutText)
  if (!isPublicUrl(url)) throw new Error('not an https URL of a public host')
  const signal = AbortSignal.timeout(TIMEOUT_SECONDS * 1000)
  const headers = { Accept: 'application/jwk-set+json, application/json' }
  const response = await fetchBy(options, url, { redirect: 'manual', headers, signal })
  if (response.status !== 200) throw new Error(`status ${response.status}`)
  const body = await readBytes(response, MAX_BYTES)
  return v.parse(JwkSet, JSON.parse(new TextDecoder().decode(body))).keys
}

/** Calls the `fetch` of its owner, by default that of the runtime, which on Workers must not be called as a method of another object. */
export function fetchBy(
  owner: Partial<Pick<RemoteKeysOptions, 'fetch'>>,
  url: string,
  init: RequestInit,
): Promise<Response> {
  return owner.fetch === undefined || owner.fetch === globalThis.fetch ? fetch(url, init) : owner.fetch(url, init)
}

/** A registered URL must not make this server send requests to hosts that only this server can reach. */
async function requirePublic(url: string, options: RemoteKeysOptions): Promise<void> {
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
