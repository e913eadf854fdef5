/** The documents `/.well-known/oauth-authorization-server` and `…/openid-configuration`, made from the mounted endpoints. */

import { below, type Endpoint } from './endpoint.ts'

/** Path of the authorization server metadata, RFC 8414 §3. */
export const METADATA_PATH = '/.well-known/oauth-authorization-server'

type Members = Readonly<Record<string, unknown>>

/**
 * Returns the authorization server metadata.
 *
 * RFC 8414 lets a server without that flow omit `authorization_endpoint`. It is present together with `response_types_supported`
 * because some clients require them. `client_secret_jwt` is never listed, because it needs secrets that the server can read.
 *
 * @param scopes the scopes of the resource servers
 * @see {@link https://www.rfc-editor.org/rfc/rfc8414#section-2 RFC 8414 §2}
 */
export function metadataOf(issuer: string, scopes: readonly string[], endpoints: readonly Endpoint[]): Members {
  const urls = endpoints.flatMap(({ metadataMember, path }) =>
    metadataMember === undefined ? [] : [[metadataMember, below(issuer, path)]],
  )
  return {
    issuer,
    ...Object.fromEntries(urls),
    ...Object.assign({}, ...endpoints.map(({ metadata }) => metadata)),
    ...(scopes.length > 0 && { scopes_supported: scopes }),
  }
}

/**
 * Returns the metadata for OpenID Connect Discovery, which requires two more members. There are no ID tokens: verifiers that
 * read the document apply its algorithms to access tokens.
 *
 * @see {@link https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata OpenID Connect Discovery 1.0 §3}
 */
export function openidMetadataOf(issuer: string, scopes: readonly string[], endpoints: readonly Endpoint[]): Members {
  const more = endpoints.map(({ openidMetadata }) => openidMetadata)
  return Object.assign({}, metadataOf(issuer, scopes, endpoints), ...more)
}
