/** An API that is protected with the tokens of a world, and a client that makes tokens and proofs of any kind. */

import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { generateKeyring, type Keyring, signingKeyOf } from '../../src/keys/keyring.ts'
import { encodeBase64url } from '../../src/lib/base64url.ts'
import { digestOf } from '../../src/lib/digest.ts'
import {
  type Guard,
  type GuardDemands,
  type GuardEvent,
  type ProtectOptions,
  protect,
  type VerifiedToken,
} from '../../src/resource_server.ts'
import { createRevocable, type Revocable, RS } from './revocable.ts'
import { ISSUER, NOW } from './world.ts'

export const API: string = `${RS}/reports`

type Members = Readonly<Record<string, unknown>>

const octets = (text: string) => new TextEncoder().encode(text)

export interface TokenMaking {
  /** Replace claims of a good token; undefined removes one. */
  readonly claims?: Members
  readonly header?: Members
  /** A key that the issuer does not publish. */
  readonly isForged?: boolean
}

export interface ProofMaking {
  readonly claims?: Members
  readonly header?: Members
  /** A key other than that of the token. */
  readonly isOfStranger?: boolean
}

const generate = async () => {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
  return { jwk: await exportJWK(publicKey), privateKey }
}
const [own, stranger] = [await generate(), await generate()]
const forger = await generateKeyring({ lifetimeSeconds: 3600 })

/** What tokens are bound to that {@link proveTo} sends proofs for. */
export const JKT: string = await calculateJwkThumbprint(own.jwk)

/** Signs a DPoP proof for a token. */
export async function proveTo(
  token: string,
  { claims = {}, header = {}, isOfStranger = false }: ProofMaking = {},
): Promise<string> {
  const { jwk, privateKey } = isOfStranger ? stranger : own
  const ath = await digestOf(token)
  const payload = { htm: 'GET', htu: API, iat: NOW, jti: crypto.randomUUID(), ath, ...claims }
  const full = JSON.parse(JSON.stringify({ typ: 'dpop+jwt', jwk, ...header, alg: 'ES256' }))
  return new SignJWT(JSON.parse(JSON.stringify(payload))).setProtectedHeader(full).sign(privateKey)
}

/** The network between the API and its issuer. */
export interface Network {
  isDown: boolean
  /** Answers by the path that they replace. */
  readonly replaced: Map<string, () => Response>
  /** Paths that were asked for. */
  readonly asked: string[]
}

export interface Guarded {
  readonly world: Revocable
  readonly network: Network
  readonly events: GuardEvent[]
  readonly guard: Guard
  /** Returns a token signed by the issuer. */
  sign(making?: TokenMaking): Promise<string>
  send(token: string, demands?: GuardDemands): Promise<VerifiedToken | Response>
}

/** Signs a JWT with the present key of a keyring. */
export async function signAs(keyring: Keyring, claims: Members, header: Members): Promise<string> {
  const key = signingKeyOf(await keyring.at(NOW))
  const full = { ...JSON.parse(atob(key.headerOf('at+jwt'))), ...header }
  const encode = (part: Members) => encodeBase64url(octets(JSON.stringify(part)))
  const input = `${encode(full)}.${encode(claims)}`
  return `${input}.${encodeBase64url(new Uint8Array(await key.sign(octets(input))))}`
}

/** Returns an API of the world, or of a world of its own. */
export async function createGuarded(options: Partial<ProtectOptions> = {}, shared?: Revocable): Promise<Guarded> {
  const world = shared ?? (await createRevocable())
  const events: GuardEvent[] = []
  const network: Network = { isDown: false, replaced: new Map(), asked: [] }
  const guard = protect({
    issuer: ISSUER,
    audience: RS,
    now: () => world.state.now,
    onEvent: (event) => events.push(event),
    async fetch(url, init) {
      const { pathname } = new URL(url)
      network.asked.push(pathname)
      if (network.isDown) throw new TypeError('the issuer is down')
      return network.replaced.get(pathname)?.() ?? world.app.request(url, init)
    },
    ...options,
  })
  const sign = async ({ claims = {}, header = {}, isForged = false }: TokenMaking = {}) => {
    const good = { iss: ISSUER, sub: 'reporting', client_id: 'reporting', aud: RS, iat: NOW, exp: NOW + 600 }
    const payload = { ...good, jti: crypto.randomUUID(), scope: 'read write', ...claims }
    return signAs(isForged ? forger : world.keyring, payload, header)
  }
  const send = (token: string, demands?: GuardDemands) =>
    guard(new Request(API, { headers: { Authorization: `Bearer ${token}` } }), demands)
  return { world, network, events, guard, sign, send }
}
