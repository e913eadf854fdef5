/** Client authentication with an assertion that the client signs with its private key. */

import { ASSERTION_ALGORITHMS } from '../assertions/algorithms.ts'
import { type Assertion, readAssertion } from '../assertions/assertion.ts'
import type { RemoteKeys } from '../assertions/remote_keys.ts'
import { verifyAssertion } from '../assertions/verify.ts'
import { withClient } from '../attribution.ts'
import { invalidClient } from '../errors.ts'
import type { ClientAuth, Presented } from '../features.ts'
import type { AssertionReason } from '../reasons.ts'
import type { Ledger } from '../stores/contracts.ts'
import type { FormRequest } from '../types.ts'
import { findClientAssertion, JWT_BEARER } from './client_assertion.ts'
import { keysOf } from './client_keys.ts'

/** `client-authentication+jwt` comes from the revision of RFC 7523. Older clients send `JWT` or no `typ`. */
const TYPES = ['client-authentication+jwt', 'jwt']

export const DEFAULT_ASSERTION_LIFETIME_SECONDS: number = 60 * 60

export interface PrivateKeyJwtOptions {
  /** Stores the `jti` of each assertion. */
  readonly ledger: Ledger
  /** Fetches the keys of a `jwks_uri`. */
  readonly remoteKeys: RemoteKeys
  /** Maximum time from now to `exp`, not counting the skew. One hour by default. */
  readonly maxLifetimeSeconds?: number | undefined
}

/**
 * Returns the method `private_key_jwt`.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7523#section-3 RFC 7523 §3}
 * @see {@link https://openid.net/specs/openid-connect-core-1_0.html#ClientAuthentication OpenID Connect Core 1.0 §9}
 */
export function privateKeyJwt(options: PrivateKeyJwtOptions): ClientAuth {
  const { ledger, remoteKeys, maxLifetimeSeconds = DEFAULT_ASSERTION_LIFETIME_SECONDS } = options
  return {
    method: 'private_key_jwt',
    reads: 'assertion',
    metadata: { token_endpoint_auth_signing_alg_values_supported: [...ASSERTION_ALGORITHMS.keys()] },
    read(request): Presented | undefined {
      const jws = findClientAssertion(request, JWT_BEARER)
      if (jws === undefined) return undefined
      const found = readSubject(jws)
      if (typeof found === 'string') return presentMalformed(found, request)
      const { assertion, sub } = found
      return {
        client_id: sub,
        async verify(client, { issuer, tokenEndpoint, now }) {
          const findKeys = keysOf(client, remoteKeys)
          if (findKeys === undefined) return 'keys_missing'
          return verifyAssertion(assertion, {
            types: TYPES,
            alg: client.token_endpoint_auth_signing_alg,
            findKeys,
            issuer: client.client_id,
            isSubject: (sub) => sub === client.client_id,
            audiences: [issuer, tokenEndpoint],
            maxLifetimeSeconds,
            now,
            once: { ledger, purpose: 'client_assertion' },
          })
        },
      }
    },
  }
}

function readSubject(jws: string): AssertionReason | { readonly assertion: Assertion; readonly sub: string } {
  const assertion = readAssertion(jws)
  if (assertion === undefined) return 'assertion_malformed'
  const { sub } = assertion.claims
  return typeof sub === 'string' && sub !== '' ? { assertion, sub } : 'assertion_sub_wrong'
}

/**
 * Leaves the refusal to the client that the request names, so that the audit event names it too, and because the client may be
 * registered for another method that reads the same assertion.
 *
 * @throws OAuthError `invalid_client` when the request names none, or presents other credentials too
 */
function presentMalformed(reason: AssertionReason, { form, headers }: FormRequest): Presented {
  const claimed = form.get('client_id')
  if (!claimed) throw invalidClient(reason)
  // A malformed credential is refused as such before several are.
  if (headers.has('Authorization') || form.get('client_secret') !== null) {
    throw withClient(invalidClient(reason), claimed)
  }
  return { client_id: claimed, verify: async () => reason }
}
