/** The issuer: its metadata, which is read once, and its keys. */

import { fittingKeys } from '../assertions/fitting_keys.ts'
import { importVerifier, type VerifyJws } from '../assertions/imported_key.ts'
import { type Lru, lru } from '../lib/lru.ts'
import { isSafeUrl } from '../lib/safe_url.ts'
import type { Jwk } from '../types.ts'
import { type Fetch, fetchObject, isNotFound } from './documents.ts'
import type { OnEvent } from './events.ts'
import { type Held, refreshed, type WaitUntil } from './refreshed.ts'

const MAX_BYTES = 256 * 1024

/** Headers that are kept. */
const MAX_HEADERS = 100

/** More keys in a set are ignored. */
const MAX_KEYS = 100

const REFRESH_KEYS_SECONDS = 300
const WAIT_KEYS_SECONDS = 600

/** Minimum time between two fetches of the keys, whatever `kid` tokens name. */
const PAUSE_SECONDS = 30

/** Time for which keys are used while the issuer cannot be reached. */
const STALE_KEYS_SECONDS = 12 * 60 * 60

/** What a guard uses of the metadata of RFC 8414 §2. */
export interface IssuerMetadata {
  readonly jwks_uri: string
  readonly introspection_endpoint?: string | undefined
  /** The list of revocations, a member of edgemint's metadata. */
  readonly revocations_uri?: string | undefined
}

/** What everything about the issuer is made from. */
export interface IssuerOptions {
  readonly issuer: string
  /** Replaces what the issuer publishes. */
  readonly metadata?: IssuerMetadata | undefined
  readonly algorithms: readonly string[]
  readonly clockSkewSeconds: number
  readonly fetch: Fetch
  readonly onEvent: OnEvent
  /** Returns epoch seconds. */
  now(): number
}

export interface Issuer extends IssuerOptions {
  /** Returns the metadata. Rejects when it cannot be fetched. */
  findMetadata(): Promise<IssuerMetadata>
  /** Returns the keys that may have signed a JWS; undefined when the keys cannot be fetched. */
  findKeys(alg: string, kid: string | undefined, waitUntil?: WaitUntil): Promise<readonly VerifyJws[] | undefined>
  /** Headers of JWTs by their text. Those of an issuer are few. */
  readonly headers: Lru<Readonly<Record<string, unknown>>>
}

/** @throws TypeError when the issuer, or a document that the owner names, is not at an https URL */
export function issuerOf(options: IssuerOptions): Issuer {
  const { issuer, now, onEvent, fetch } = options
  checkUrls(options)
  const report = (document: 'metadata' | 'keys') => (cause: unknown) =>
    onEvent({ event: 'fetch_failed', document, cause })
  const forever = Number.POSITIVE_INFINITY
  const metadata = refreshed<IssuerMetadata>({
    load: async () => options.metadata ?? (await fetchMetadata(issuer, fetch)),
    refreshSeconds: forever,
    waitSeconds: forever,
    pauseSeconds: 0,
    now,
    onFailure: report('metadata'),
  })
  const findMetadata = async (): Promise<IssuerMetadata> => {
    const held = await metadata.current()
    if (held === undefined) throw new Error('the metadata of the issuer cannot be fetched')
    return held.value
  }
  const keys = refreshed<KeySet>({
    load: async () => keySet(await fetchObject(fetch, (await findMetadata()).jwks_uri, MAX_BYTES)),
    refreshSeconds: REFRESH_KEYS_SECONDS,
    waitSeconds: WAIT_KEYS_SECONDS,
    pauseSeconds: PAUSE_SECONDS,
    now,
    onFailure: report('keys'),
  })
  const usable = (held: Held<KeySet> | undefined): KeySet | undefined =>
    held !== undefined && now() - held.madeAt < STALE_KEYS_SECONDS ? held.value : undefined
  return {
    ...options,
    findMetadata,
    headers: lru(MAX_HEADERS),
    async findKeys(alg, kid, waitUntil) {
      const found = await usable(await keys.current(waitUntil))?.(alg, kid)
      return found === undefined || found.length > 0 ? found : usable(await keys.renewed())?.(alg, kid)
    },
  }
}

function checkUrls({ issuer, metadata }: IssuerOptions): void {
  if (!isSafeUrl(issuer)) throw new TypeError('issuer: must be an https URL')
  if (metadata === undefined) return
  const { jwks_uri, introspection_endpoint = jwks_uri, revocations_uri = jwks_uri } = metadata
  if (![jwks_uri, introspection_endpoint, revocations_uri].every(isSafeUrl))
    throw new TypeError('metadata: must name https URLs')
}

/**
 * Fetches the metadata of RFC 8414 §3, or where the issuer has none, that of OpenID Connect Discovery 1.0 §4.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8414#section-3.3 RFC 8414 §3.3}
 */
async function fetchMetadata(issuer: string, fetch: Fetch): Promise<IssuerMetadata> {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  const get = (url: string) => fetchObject(fetch, url, MAX_BYTES)
  const document = await get(`${origin}/.well-known/oauth-authorization-server${path}`).catch((cause: unknown) => {
    if (isNotFound(cause)) return get(`${origin}${path}/.well-known/openid-configuration`)
    throw cause
  })
  if (document['issuer'] !== issuer) throw new Error('the metadata is that of another issuer')
  const { jwks_uri, introspection_endpoint, revocations_uri } = document
  if (!isSafeUrl(jwks_uri)) throw new Error('jwks_uri is not an https URL')
  const urlOf = (member: unknown): string | undefined => (isSafeUrl(member) ? member : undefined)
  return {
    jwks_uri,
    introspection_endpoint: urlOf(introspection_endpoint),
    revocations_uri: urlOf(revocations_uri),
  }
}

/** Returns the keys of a set that fit. Each is imported once. */
type KeySet = (alg: string, kid: string | undefined) => Promise<readonly VerifyJws[]>

/** RFC 7517 §5. */
function keySet({ keys }: Readonly<Record<string, unknown>>): KeySet {
  if (!Array.isArray(keys)) throw new TypeError('the document is not a JWK Set')
  const isObject = (key: unknown): key is Jwk => typeof key === 'object' && key !== null
  const all = keys.slice(0, MAX_KEYS).filter(isObject)
  const found = new Map<string, Promise<readonly VerifyJws[]>>()
  return async (alg, kid) => {
    const name = `${alg} ${kid ?? ''}`
    const known = found.get(name)
    if (known !== undefined) return known
    const fitting = fittingKeys(all, alg, kid)
    if (fitting.length === 0) return []
    const imported = importAll(fitting, alg)
    // Only what exists is remembered, so that tokens cannot fill the memory with names.
    found.set(name, imported)
    return imported
  }
}

/** A key that cannot be imported has signed nothing. */
async function importAll(keys: readonly Jwk[], alg: string): Promise<readonly VerifyJws[]> {
  const imported = await Promise.allSettled(keys.map((key) => importVerifier(key, alg)))
  return imported.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
}
