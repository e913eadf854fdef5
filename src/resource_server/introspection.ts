/** Introspection: the issuer is asked about each token. */

import { fetchText } from './documents.ts'
import type { Issuer } from './issuer.ts'
import { FETCH_SECONDS } from './refreshed.ts'
import type { RevocationChecks } from './revocation_checks.ts'
import { verifySigned } from './signed.ts'

const MAX_BYTES = 64 * 1024

/** RFC 9701 §5. */
const SIGNED_TYPE = 'token-introspection+jwt'

type Members = Readonly<Record<string, unknown>>

export interface IntrospectionOptions {
  /** Who the API is to the issuer. */
  readonly clientId: string
  /** With it, the API authenticates by `client_secret_basic`. */
  readonly clientSecret?: string | undefined
  /** Returns an access token that permits introspection. */
  readonly accessToken?: (() => Promise<string>) | undefined
}

/**
 * Returns the check that asks the issuer about each token: a revocation counts at once, and without the issuer nothing is accepted.
 * A signed answer is asked for, and verified where the issuer gives one.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7662#section-2 RFC 7662 §2}, {@link https://www.rfc-editor.org/rfc/rfc9701#section-5 RFC 9701 §5}
 */
export function introspection(options: IntrospectionOptions): RevocationChecks {
  return (issuer) => async (token, jws) => {
    try {
      const answer = await introspect(jws, issuer, options)
      const { active, iss = issuer.issuer, jti = token.id } = answer
      const isSame = iss === issuer.issuer && jti === token.id
      return active === true && isSame ? undefined : 'token_inactive'
    } catch (cause) {
      issuer.onEvent({ event: 'fetch_failed', document: 'introspection', cause })
      return 'introspection_unavailable'
    }
  }
}

async function introspect(token: string, issuer: Issuer, options: IntrospectionOptions): Promise<Members> {
  const { introspection_endpoint } = await issuer.findMetadata()
  if (introspection_endpoint === undefined) throw new Error('the issuer has no introspection endpoint')
  const headers = {
    Accept: `application/${SIGNED_TYPE}, application/json;q=0.9`,
    Authorization: await authorizationOf(options),
  }
  const body = new URLSearchParams({ token, token_type_hint: 'access_token' })
  const text = await fetchText(issuer.fetch, introspection_endpoint, MAX_BYTES, { method: 'POST', headers, body })
  return text.trimStart().startsWith('{')
    ? (JSON.parse(text) as Members)
    : readSigned(text.trim(), issuer, options.clientId)
}

async function readSigned(jws: string, issuer: Issuer, clientId: string): Promise<Members> {
  const claims = await verifySigned(jws, { types: [SIGNED_TYPE], maxCharacters: MAX_BYTES }, issuer)
  if (typeof claims === 'string') throw new Error(`the signed answer is not usable: ${claims}`)
  const { iss, aud, iat, token_introspection } = claims
  const isRecent =
    typeof iat === 'number' && Math.abs(issuer.now() - iat) <= Math.max(issuer.clockSkewSeconds, FETCH_SECONDS)
  if (iss !== issuer.issuer || aud !== clientId || !isRecent)
    throw new Error('the signed answer is for another request')
  if (typeof token_introspection !== 'object' || token_introspection === null)
    throw new Error('the signed answer says nothing')
  return token_introspection as Members
}

/** RFC 6749 §2.3.1: both are form-encoded. */
async function authorizationOf({ clientId, clientSecret, accessToken }: IntrospectionOptions): Promise<string> {
  if (accessToken !== undefined) return `Bearer ${await accessToken()}`
  const encode = (text: string): string => new URLSearchParams({ '': text }).toString().slice(1)
  return `Basic ${btoa(`${encode(clientId)}:${encode(clientSecret ?? '')}`)}`
}
