/** How a client proves at the token endpoint who it is. */

import { type CryptoKey, SignJWT } from 'jose'
import { readJsonObject } from './answer.ts'

const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const JWT_SPIFFE = 'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe'

const ASSERTION_SECONDS = 60

/** The request to GitHub takes no longer. */
const GITHUB_SECONDS = 10

/** Returns the parameters that authenticate a client. Called for each request to the token endpoint. */
export type Credentials = (client: {
  readonly clientId: string
  /** The audience of what the client signs. */
  readonly issuer: string
}) => Promise<Readonly<Record<string, string>>>

/** Sends a secret in the body. @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1 RFC 6749 §2.3.1} */
export function clientSecret(secret: string): Credentials {
  return async () => ({ client_secret: secret })
}

/**
 * Signs an assertion for each request.
 *
 * @param alg what `key` signs with, such as `ES256`
 * @see {@link https://www.rfc-editor.org/rfc/rfc7523#section-2.2 RFC 7523 §2.2}
 */
export function privateKeyJwt(
  key: CryptoKey,
  { alg, kid }: { readonly alg: string; readonly kid?: string },
): Credentials {
  return async ({ clientId, issuer }) => ({
    client_assertion_type: JWT_BEARER,
    client_assertion: await new SignJWT()
      .setProtectedHeader({ alg, ...(kid !== undefined && { kid }) })
      .setIssuer(clientId)
      .setSubject(clientId)
      .setAudience(issuer)
      .setJti(crypto.randomUUID())
      .setIssuedAt()
      .setExpirationTime(`${ASSERTION_SECONDS}s`)
      .sign(key),
  })
}

/**
 * Sends the token of a platform, for clients with `federated_jwt`.
 *
 * @param read returns the token, for instance from the file that the platform renews
 */
export function workloadToken(read: () => Promise<string>): Credentials {
  return async () => ({ client_assertion_type: JWT_BEARER, client_assertion: (await read()).trim() })
}

/** Sends a JWT-SVID, for clients with `spiffe_jwt`. */
export function spiffeToken(read: () => Promise<string>): Credentials {
  return async () => ({ client_assertion_type: JWT_SPIFFE, client_assertion: (await read()).trim() })
}

/**
 * Sends the token that GitHub gives to a job with `permissions: id-token: write`.
 *
 * @param environment the variables of the job
 */
export function githubToken(
  environment: Readonly<Record<string, string | undefined>>,
  send: (request: Request) => Promise<Response> = (request) => fetch(request),
): Credentials {
  return async ({ issuer }) => {
    const { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: token } = environment
    if (url === undefined || token === undefined) throw new Error('the job has no permission `id-token: write`')
    const asked = `${url}&audience=${encodeURIComponent(issuer)}`
    const signal = AbortSignal.timeout(GITHUB_SECONDS * 1000)
    const request = new Request(asked, { headers: { Authorization: `Bearer ${token}` }, redirect: 'manual', signal })
    const { value } = await readJsonObject(await send(request))
    if (typeof value !== 'string') throw new Error('GitHub has sent no token')
    return { client_assertion_type: JWT_BEARER, client_assertion: value }
  }
}
