/** `GET /.well-known/oauth-authorization-server` and `…/openid-configuration`: what this server offers, read off what is mounted. */

import type { Keyring } from '../keys/keyring.ts'
import type { ClientAuth, Confirmation, Grant } from '../types.ts'

/** What the document is made of. */
export interface MetadataParts {
  readonly clientAuth: readonly ClientAuth[]
  readonly grants: ReadonlyMap<string, Grant>
  readonly confirmations: readonly Confirmation[]
  readonly keyring: Pick<Keyring, 'algorithms'>
  /** Paths of the mounted endpoints, by the member that names them. */
  readonly endpoints: Readonly<Record<string, string>>
}

/**
 * Gives the document.
 *
 * `authorization_endpoint` and `response_types_supported` stand there because clients look for them; RFC 8414 lets a
 * server without that flow leave the first out. `client_secret_jwt` never stands there, for it needs secrets that can be read.
 *
 * @see RFC 8414 §2
 */
export function metadata(
  issuer: string,
  scopes: readonly string[],
  { clientAuth, grants, confirmations, keyring, endpoints }: MetadataParts,
): Readonly<Record<string, unknown>> {
  const base = issuer.replace(/\/$/, '')
  const urls = Object.entries(endpoints).map(([member, path]) => [member, base + path])
  return {
    issuer,
    ...Object.fromEntries(urls),
    grant_types_supported: [...grants.keys()],
    response_types_supported: [],
    token_endpoint_auth_methods_supported: clientAuth.map(({ method }) => method),
    ...Object.assign({}, ...[...clientAuth, ...confirmations].map((feature) => feature.metadata)),
    ...(endpoints['introspection_endpoint'] && authOf('introspection', clientAuth)),
    ...(endpoints['introspection_endpoint'] && { introspection_signing_alg_values_supported: keyring.algorithms }),
    ...(endpoints['revocation_endpoint'] && authOf('revocation', clientAuth)),
    ...(scopes.length > 0 && { scopes_supported: scopes }),
  }
}

/**
 * Returns the document for OpenID Connect Discovery, which requires two more members. There are no ID tokens here; verifiers
 * that read the document apply the algorithms to access tokens.
 *
 * @see OpenID Connect Discovery 1.0 §3
 */
export function openidMetadata(...given: Parameters<typeof metadata>): Readonly<Record<string, unknown>> {
  const [, , { keyring }] = given
  return {
    ...metadata(...given),
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: keyring.algorithms,
  }
}

/** What is said of client authentication at the token endpoint, said of another endpoint. */
function authOf(endpoint: string, clientAuth: readonly ClientAuth[]): Readonly<Record<string, unknown>> {
  const algs = clientAuth.flatMap(
    (feature) => feature.metadata?.['token_endpoint_auth_signing_alg_values_supported'] ?? [],
  )
  return {
    [`${endpoint}_endpoint_auth_methods_supported`]: clientAuth.map(({ method }) => method),
    ...(algs.length > 0 && { [`${endpoint}_endpoint_auth_signing_alg_values_supported`]: algs }),
  }
}
