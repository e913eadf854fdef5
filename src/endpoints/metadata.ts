/** `GET /.well-known/oauth-authorization-server` and `…/openid-configuration`: what this server offers, read off what is mounted. */

import { below, type Endpoint } from './endpoint.ts'

type Members = Readonly<Record<string, unknown>>

/**
 * Returns the document.
 *
 * `authorization_endpoint` and `response_types_supported` stand there because clients look for them; RFC 8414 lets a
 * server without that flow leave the first out. `client_secret_jwt` never stands there, for it needs secrets that can be read.
 *
 * @param scopes those that the resource servers have
 * @see RFC 8414 §2
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
 * Returns the document for OpenID Connect Discovery, which requires two more members. There are no ID tokens here; verifiers
 * that read the document apply the algorithms to access tokens.
 *
 * @see OpenID Connect Discovery 1.0 §3
 */
export function openidMetadataOf(issuer: string, scopes: readonly string[], endpoints: readonly Endpoint[]): Members {
  const more = endpoints.map(({ openidMetadata }) => openidMetadata)
  return Object.assign({}, metadataOf(issuer, scopes, endpoints), ...more)
}
