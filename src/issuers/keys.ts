/** The keys of trusted issuers: each issuer has its own, found where its record says and nowhere else. */

import * as v from 'valibot'
import { JwkSet } from '../assertions/jwk_set.ts'
import { COOL_DOWN_SECONDS, keyCache, type PublishedKeys } from '../assertions/key_cache.ts'
import {
  type FetchOptions,
  fetchJson,
  fetchKeys,
  isPublicUrl,
  type RemoteKeysOptions,
  readDocument,
} from '../assertions/remote_keys.ts'
import type { FindKeys } from '../assertions/verify.ts'
import { temporarilyUnavailable } from '../errors.ts'
import type { Jwk, TrustedIssuer } from '../types.ts'

/** Bounds of the refresh hint of a SPIFFE bundle, and what a bundle without one has. */
const [MIN_HINT_SECONDS, DEFAULT_HINT_SECONDS, MAX_HINT_SECONDS] = [60, 300, 3600]

const Metadata = v.object({ issuer: v.string(), jwks_uri: v.string() })

const Bundle = v.looseObject({ spiffe_refresh_hint: v.optional(v.number()) })

/** The keys of trusted issuers. */
export interface IssuerKeys {
  /** Returns a function that finds the keys of an issuer in the cache, or fetches them. */
  find(issuer: TrustedIssuer): FindKeys
  /** Fetches the keys of an issuer past the cache. Rejects with an Error that holds the cause. */
  load(issuer: TrustedIssuer): Promise<PublishedKeys>
}

/** Returns the keys of trusted issuers with an empty cache. */
export function issuerKeys(options: RemoteKeysOptions): IssuerKeys {
  const inline = new WeakMap<TrustedIssuer, readonly Jwk[]>()
  const findPublished = keyCache({
    now: () => options.now(),
    unavailable: (cause) =>
      temporarilyUnavailable(
        'issuer_keys_failed',
        'The keys of the issuer of the assertion cannot be fetched.',
        cause,
        COOL_DOWN_SECONDS,
      ),
  })
  const load = (issuer: TrustedIssuer): Promise<PublishedKeys> => loadKeys(issuer, options)
  return {
    load,
    find(issuer) {
      // The issuer is part of the id: keys that one issuer publishes are never those of another.
      const { jwks, jwks_uri, discovery_uri, spiffe_bundle_endpoint } = issuer
      const id = JSON.stringify([issuer.issuer, jwks_uri, discovery_uri, spiffe_bundle_endpoint])
      if (jwks === undefined) return (refresh) => findPublished(id, () => load(issuer), refresh)
      // The same objects each time, because jose remembers what it imported by identity.
      const keys = inline.get(issuer) ?? inlineKeys(issuer)
      inline.set(issuer, keys)
      return async () => keys
    },
  }
}

/** Returns the keys of a SPIFFE bundle that sign JWT-SVIDs, in the form of other key sets. */
export function svidKeys(keys: readonly Jwk[]): readonly Jwk[] {
  return keys.filter(({ use }) => use === 'jwt-svid').map(({ use: _use, ...key }) => key)
}

function inlineKeys({ jwks, preset }: TrustedIssuer): readonly Jwk[] {
  const { keys } = jwks ?? { keys: [] }
  return preset === 'spiffe' ? svidKeys(keys) : keys
}

async function loadKeys(issuer: TrustedIssuer, options: FetchOptions): Promise<PublishedKeys> {
  const published = await loadPublished(issuer, options)
  if (published.keys.length === 0) throw new Error('there are no keys')
  return published
}

async function loadPublished(issuer: TrustedIssuer, options: FetchOptions): Promise<PublishedKeys> {
  const { jwks, jwks_uri, spiffe_bundle_endpoint } = issuer
  if (jwks !== undefined) return { keys: inlineKeys(issuer) }
  if (spiffe_bundle_endpoint !== undefined) return loadBundle(spiffe_bundle_endpoint, options)
  return { keys: await fetchKeys(jwks_uri ?? (await discoverKeys(issuer, options)), options) }
}

/** @see {@link https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig OpenID Connect Discovery 1.0 §4} */
async function discoverKeys({ issuer, discovery_uri }: TrustedIssuer, options: FetchOptions): Promise<string> {
  const url = discovery_uri ?? `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const metadata = readDocument(Metadata, await fetchJson(url, options), 'metadata with issuer and jwks_uri')
  if (metadata.issuer !== issuer) throw new Error('the metadata document is that of another issuer')
  if (!isPublicUrl(metadata.jwks_uri)) throw new Error('the jwks_uri is not an https URL of a public host')
  return metadata.jwks_uri
}

/** @see {@link https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE_Trust_Domain_and_Bundle.md#4-spiffe-bundle-format SPIFFE Trust Domain and Bundle §4} */
async function loadBundle(url: string, options: FetchOptions): Promise<PublishedKeys> {
  const bundle = await fetchJson(url, options)
  const { spiffe_refresh_hint: hint = DEFAULT_HINT_SECONDS } = readDocument(Bundle, bundle, 'a SPIFFE bundle')
  const freshSeconds = Math.min(Math.max(hint, MIN_HINT_SECONDS), MAX_HINT_SECONDS)
  return { keys: svidKeys(readDocument(JwkSet, bundle, 'a SPIFFE bundle').keys), freshSeconds }
}
