/**
 * Verifies one token again and again: `/{verifier}/{kind}/{count}`. The CPU time is measured by the caller. All verifiers have
 * the keys already, and check signature, type, issuer, audience and times; with a proof, also what RFC 9449 §4.3 asks for except
 * replay, which only the guard checks, and which is left out here.
 */

import { Hono } from 'hono'
import { jwk } from 'hono/jwk'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose'
import * as oauth from 'oauth4webapi'
import { encodeBase64url } from '../src/lib/base64url.ts'
import { honoGuard, protect } from '../src/resource_server.ts'

const ISSUER = 'https://tokens.example'
const API = 'https://api.example'
const LANES = 16

/** Sends a request once. Rejects when it is refused. */
type Verify = (request: Request) => Promise<unknown>
interface Prepared {
  readonly verifiers: Readonly<Record<string, Verify>>
  readonly request: () => Request
}

const isIn = async (response: Response): Promise<void> => {
  if (response.status !== 200) throw new Error(`refused: ${response.status}`)
}

async function prepare(kind: string): Promise<Prepared> {
  const [alg = '', isBound] = kind.split('-')
  const { privateKey, publicKey } = await generateKeyPair(alg, { modulusLength: 2048 })
  const keys = [{ ...(await exportJWK(publicKey)), kid: 'one', alg }]
  const proof = await generateKeyPair('ES256')
  const proofKey = await exportJWK(proof.publicKey)
  const cnf = isBound && { jkt: await calculateJwkThumbprint(proofKey) }
  const token = await new SignJWT({ client_id: 'reporting', scope: 'read write', ...(cnf && { cnf }) })
    .setProtectedHeader({ alg, typ: 'at+jwt', kid: 'one' })
    .setIssuer(ISSUER)
    .setSubject('reporting')
    .setAudience(API)
    .setJti(crypto.randomUUID())
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(privateKey)
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token))
  const ath = encodeBase64url(new Uint8Array(digest))
  const prove = () =>
    new SignJWT({ htm: 'GET', htu: `${API}/`, ath })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: proofKey })
      .setJti(crypto.randomUUID())
      .setIssuedAt()
      .sign(proof.privateKey)
  const headers = isBound
    ? { Authorization: `DPoP ${token}`, DPoP: await prove() }
    : { Authorization: `Bearer ${token}` }
  return { verifiers: verifiersOf(alg, keys), request: () => new Request(`${API}/`, { headers }) }
}

function verifiersOf(alg: string, keys: object[]): Readonly<Record<string, Verify>> {
  const answer = async () => Response.json({ keys })
  const metadata = { jwks_uri: `${ISSUER}/jwks` }
  const dpop = { claim: async () => 'first' as const }
  const guard = protect({ issuer: ISSUER, audience: API, algorithms: [alg], metadata, dpop, fetch: answer })
  const ours = new Hono().get('/', honoGuard(guard), (c) => c.text('in'))
  const theirs = new Hono()
  theirs.use(jwk({ keys: keys as [], alg: [alg as 'ES256'], verification: { iss: ISSUER, aud: API, typ: 'at+jwt' } }))
  theirs.get('/', (c) => c.text('in'))
  const server = { issuer: ISSUER, jwks_uri: `${ISSUER}/jwks` }
  return {
    async guard(request) {
      const result = await guard(request)
      if (result instanceof Response) await isIn(result)
    },
    oauth4webapi: (request) => oauth.validateJwtAccessToken(server, request, API, { [oauth.customFetch]: answer }),
    honoGuard: async (request) => isIn(await ours.fetch(request)),
    honoJwk: async (request) => isIn(await theirs.fetch(request)),
  }
}

const prepared = new Map<string, Promise<Prepared>>()

const handler: { fetch(request: Request): Promise<Response> } = {
  async fetch({ url }) {
    const [, verifier = '', kind = '', count = '0'] = new URL(url).pathname.split('/')
    if (kind === '') return new Response('ready')
    const made = prepared.get(kind) ?? prepare(kind)
    prepared.set(kind, made)
    const { request, verifiers } = await made
    const verify = verifiers[verifier]
    let left = Number(count)
    const lane = async (): Promise<void> => {
      while (left-- > 0) await verify?.(request())
    }
    await Promise.all(Array.from({ length: LANES }, lane))
    return new Response('done')
  },
}
export default handler
