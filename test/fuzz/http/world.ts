/** The clients of a server that is fuzzed, one for each way to authenticate. */

import { exportJWK, exportPKCS8, type GenerateKeyPairResult, generateKeyPair, importX509, SignJWT } from 'jose'
import { base64Of, leaf, self } from '../../support/certificates.ts'

export const ISSUER = 'https://tokens.example'
export const OPERATOR = 'operator-token-operator-token-operator'
const FOREIGN_ISSUER = 'https://issuer.example'
const TRUST_DOMAIN = 'spiffe://example'

export const signing: GenerateKeyPairResult = await generateKeyPair('ES256', { extractable: true })
const foreign = await generateKeyPair('ES256', { extractable: true })
const stranger = await generateKeyPair('ES256', { extractable: true })
const foreignJwk = { ...(await exportJWK(foreign.publicKey)), kid: 'a' }

export const SETTINGS: Readonly<Record<string, string>> = {
  ISSUER,
  SIGNING_KEYS: await exportPKCS8(signing.privateKey),
  REGISTRATION_TOKEN: OPERATOR,
  TRUSTED_PROXIES: '127.0.0.1,::1',
  CLIENT_CERT_VERIFIED: 'true',
  INTROSPECTIONS_PER_MINUTE: '0',
  AUDIT_LOG: 'off',
}

export const METHODS = ['basic', 'post', 'key', 'tls', 'self', 'federated', 'spiffe', 'exchange'] as const
export type Method = (typeof METHODS)[number]

const shared = {
  grant_types: ['client_credentials', 'urn:ietf:params:oauth:grant-type:token-exchange'],
  scope: 'read api.*',
}
const rule = (issuer: string, sub: string): object => ({
  federated_credentials: [{ id: 'r', issuer, claims: { sub } }],
})
const x5c = [base64Of(self.certificate)]
const selfKey = await importX509(self.certificate, 'ES256', { extractable: true })
const selfJwk = { ...(await exportJWK(selfKey)), x5c }

const CLIENTS: Readonly<Record<Method, object>> = {
  basic: { token_endpoint_auth_method: 'client_secret_basic' },
  post: { token_endpoint_auth_method: 'client_secret_post' },
  key: { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [foreignJwk] } },
  tls: { token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_san_dns: 'svc.example' },
  self: { token_endpoint_auth_method: 'self_signed_tls_client_auth', jwks: { keys: [selfJwk] } },
  federated: { token_endpoint_auth_method: 'federated_jwt', ...rule(FOREIGN_ISSUER, 'job') },
  spiffe: { token_endpoint_auth_method: 'spiffe_jwt', ...rule(TRUST_DOMAIN, `${TRUST_DOMAIN}/svc`) },
  exchange: { token_endpoint_auth_method: 'federated_jwt', ...rule(FOREIGN_ISSUER, 'exchanged') },
}

export const idOf = (method: Method): string => `fuzz-${method}`

export interface FuzzWorld {
  readonly port: number
  /** Secrets by client_id. */
  readonly secrets: ReadonlyMap<string, string>
}

async function put(origin: string, path: string, body: object): Promise<Record<string, unknown>> {
  const headers = { Authorization: `Bearer ${OPERATOR}`, 'Content-Type': 'application/json' }
  const response = await fetch(origin + path, { method: 'PUT', headers, body: JSON.stringify(body) })
  if (!response.ok) throw new Error(`PUT ${path}: ${response.status} ${await response.text()}`)
  return (await response.json()) as Record<string, unknown>
}

/** Registers the clients at a server. */
export async function createFuzzWorld(port: number): Promise<FuzzWorld> {
  const origin = `http://127.0.0.1:${port}`
  const jwks = { keys: [foreignJwk] }
  const svid = { keys: [{ ...foreignJwk, use: 'jwt-svid' }] }
  await put(origin, `/issuers/${encodeURIComponent(FOREIGN_ISSUER)}`, { jwks, signing_algs: ['ES256'] })
  await put(origin, `/issuers/${encodeURIComponent(TRUST_DOMAIN)}`, { jwks: svid, signing_algs: ['ES256'] })
  const secrets = new Map<string, string>()
  for (const method of METHODS) {
    const { client_secret } = await put(origin, `/register/${idOf(method)}`, { ...shared, ...CLIENTS[method] })
    if (typeof client_secret === 'string') secrets.set(idOf(method), client_secret)
  }
  return { port, secrets }
}

const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const JWT_SPIFFE = 'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe'

/** What can be wrong with an assertion. */
export const FLAWS = ['iss', 'sub', 'aud', 'exp', 'key'] as const
export type Flaw = (typeof FLAWS)[number]

async function assertionOf(method: Method, given: Flaw | undefined): Promise<string> {
  // A JWT-SVID needs no `iss`: the trust domain is that of its `sub`.
  const flaw = method === 'spiffe' && given === 'iss' ? 'sub' : given
  const now = Math.floor(Date.now() / 1000)
  const usual: Readonly<Partial<Record<Method, { iss: string; sub: string }>>> = {
    key: { iss: idOf('key'), sub: idOf('key') },
    spiffe: { iss: TRUST_DOMAIN, sub: `${TRUST_DOMAIN}/svc` },
    exchange: { iss: FOREIGN_ISSUER, sub: 'exchanged' },
  }
  const { iss, sub } = usual[method] ?? { iss: FOREIGN_ISSUER, sub: 'job' }
  const claims = {
    iss: flaw === 'iss' ? 'https://evil.example' : iss,
    sub: flaw === 'sub' ? 'nobody' : sub,
    aud: flaw === 'aud' ? 'https://other.example' : ISSUER,
    exp: flaw === 'exp' ? now - 60 : now + 60,
    iat: flaw === 'exp' ? now - 90 : now,
    jti: crypto.randomUUID(),
  }
  const key = flaw === 'key' ? stranger.privateKey : foreign.privateKey
  return new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'a' }).sign(key)
}

/** Credentials as a request carries them. */
export interface Credentials {
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly form: readonly (readonly [name: string, value: string])[]
  /** What the request must hold, all of it, to prove the client; nothing that it holds does where this is undefined. */
  readonly proof: readonly string[] | undefined
}

const certificateOf = ({ certificate }: { readonly certificate: string }): string => `:${base64Of(certificate)}:`

/** Returns the credentials of a client, with a flaw if one is named. */
export async function credentialsOf(
  method: Method,
  flaw: Flaw | undefined,
  { secrets }: FuzzWorld,
): Promise<Credentials> {
  const id = idOf(method)
  const secret = secrets.get(id) ?? ''
  const given = flaw === undefined ? secret : `${secret.slice(0, -2)}${secret.endsWith('AA') ? 'BB' : 'AA'}`
  if (method === 'basic') {
    const token = btoa(`${id}:${given}`)
    return { headers: [['Authorization', `Basic ${token}`]], form: [], proof: flaw ? undefined : [token] }
  }
  if (method === 'post') {
    const form = [
      ['client_id', id],
      ['client_secret', given],
    ] as const
    return { headers: [], form, proof: flaw ? undefined : [id, given] }
  }
  if (method === 'tls' || method === 'self') {
    const own = method === 'tls' ? leaf : self
    const certificate = certificateOf(flaw === undefined ? own : own === leaf ? self : leaf)
    return {
      headers: [['Client-Cert', certificate]],
      form: [['client_id', id]],
      proof: flaw ? undefined : [certificate, id],
    }
  }
  const assertion = await assertionOf(method, flaw)
  const proof = flaw ? undefined : [assertion]
  if (method === 'exchange') {
    const form = [
      ['client_id', id],
      ['subject_token', assertion],
      ['subject_token_type', 'urn:ietf:params:oauth:token-type:jwt'],
    ] as const
    return { headers: [], form, proof }
  }
  const type = method === 'spiffe' ? JWT_SPIFFE : JWT_BEARER
  const named = method === 'key' ? [] : ([['client_id', id]] as const)
  return { headers: [], form: [...named, ['client_assertion_type', type], ['client_assertion', assertion]], proof }
}
