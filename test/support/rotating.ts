/** Servers that rotate stored keys under load, and two verifiers of all their tokens: one that caches, and one that also refetches. */

import assert from 'node:assert/strict'
import { type CryptoKey, createLocalJWKSet, createRemoteJWKSet, customFetch, type JWK, jwtVerify } from 'jose'
import { clientKey, clientRecord } from '../../src/clients/registry.ts'
import { generateSecret } from '../../src/secrets/generated.ts'
import { hashSecret } from '../../src/secrets/hashes.ts'

export const ISSUER = 'http://localhost:8080'
export const OPERATOR_TOKEN = 'operator-token-operator-token-operator'
export const KEKS: string = `a:${Buffer.alloc(32, 7).toString('base64url')}`

const secret = generateSecret()

/** The client of the load, as a registry stores it. */
export const CLIENT: { readonly key: string; readonly record: string } = {
  key: clientKey('c'),
  record: clientRecord({
    client_id: 'c',
    client_secrets: [{ id: '1', hash: await hashSecret(secret) }],
    grant_types: ['client_credentials'],
  }),
}

/** The settings of a server whose keys sign for `periodSeconds` each. */
export function settingsOf(periodSeconds: number): Record<string, string> {
  return {
    ISSUER,
    KEY_ENCRYPTION_KEYS: KEKS,
    KEY_ROTATION_SECONDS: `${periodSeconds}`,
    ACCESS_TOKEN_LIFETIME: `${lifetimeOf(periodSeconds)}`,
    REGISTRATION_TOKEN: OPERATOR_TOKEN,
  }
}

const lifetimeOf = (periodSeconds: number): number => Math.max(3, Math.floor(periodSeconds / 2))
const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

export async function requestToken(origin: string): Promise<string> {
  const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: 'c', client_secret: secret })
  const response = await fetch(`${origin}/token`, { method: 'POST', body })
  const text = await response.text()
  assert.equal(response.status, 200, text)
  return (JSON.parse(text) as { access_token: string }).access_token
}

interface Jwks {
  readonly keys: JWK[]
  readonly maxAgeSeconds: number
}

export async function fetchJwks(origin: string): Promise<Jwks> {
  const response = await fetch(`${origin}/.well-known/jwks.json`)
  const { keys } = (await response.json()) as { keys: JWK[] }
  const [, maxAge = '0'] = /max-age=(\d+)/.exec(response.headers.get('Cache-Control') ?? '') ?? []
  return { keys, maxAgeSeconds: Number(maxAge) }
}

type Verify = (jwt: string) => Promise<string>

/** Fetches the keys from one of the servers whenever the last answer is older than its max-age, and never otherwise. */
function cachingVerifier(pick: () => string): Verify {
  let held: { readonly until: number; readonly jwks: Promise<Jwks> } | undefined
  return async (jwt) => {
    if (held === undefined || Date.now() >= held.until) {
      const jwks = fetchJwks(pick())
      held = { until: Number.POSITIVE_INFINITY, jwks }
      held = { until: Date.now() + (await jwks).maxAgeSeconds * 1000, jwks }
    }
    const { keys } = await held.jwks
    const { protectedHeader } = await jwtVerify<CryptoKey>(jwt, createLocalJWKSet({ keys }), { issuer: ISSUER })
    return protectedHeader.kid ?? ''
  }
}

function refetchingVerifier(pick: () => string): Verify {
  const keys = createRemoteJWKSet(new URL(`${ISSUER}/.well-known/jwks.json`), {
    [customFetch]: () => fetch(`${pick()}/.well-known/jwks.json`),
    cooldownDuration: 0,
  })
  return async (jwt) => (await jwtVerify(jwt, keys, { issuer: ISSUER })).protectedHeader.kid ?? ''
}

export interface Proof {
  readonly tokens: number
  readonly failures: readonly string[]
  /** Tokens by the kid of their key. */
  readonly kids: ReadonlyMap<string, number>
}

/** Requests tokens from all servers, and verifies each at once and shortly before it expires. */
export async function loadAndVerify(
  origins: readonly string[],
  seconds: number,
  periodSeconds: number,
  pauseMilliseconds = 20,
): Promise<Proof> {
  const pick = (): string => origins[Math.floor(Math.random() * origins.length)] ?? ''
  const verifiers = [cachingVerifier(pick), refetchingVerifier(pick)]
  const [failures, kids]: [string[], Map<string, number>] = [[], new Map()]
  const late: Promise<void>[] = []
  let tokens = 0
  const check = async (jwt: string, when: string): Promise<void> => {
    for (const [index, verify] of verifiers.entries())
      await verify(jwt).catch((error: unknown) => failures.push(`${when}, verifier ${index}: ${error}`))
  }
  const until = Date.now() + seconds * 1000
  const work = async (): Promise<void> => {
    while (Date.now() < until) {
      try {
        const jwt = await requestToken(pick())
        const { kid = '' } = JSON.parse(Buffer.from(jwt.split('.')[0] ?? '', 'base64url').toString()) as {
          kid?: string
        }
        kids.set(kid, (kids.get(kid) ?? 0) + 1)
        tokens++
        await check(jwt, 'at once')
        if (tokens % 10 === 0)
          late.push(sleep((lifetimeOf(periodSeconds) - 1.5) * 1000).then(() => check(jwt, 'before it expires')))
      } catch (error) {
        failures.push(`request: ${error}`)
      }
      await sleep(pauseMilliseconds)
    }
  }
  await Promise.all([work(), work(), work()])
  await Promise.all(late)
  return { tokens, failures, kids }
}

/** Returns the start of each key that the logs say was made, in order. */
export function startsIn(outputs: readonly string[]): readonly number[] {
  const lines = outputs.flatMap((output) => output.split('\n').filter((line) => line.includes('"change":"announced"')))
  const starts = lines.map((line) => (JSON.parse(line.slice(line.indexOf('{'))) as { signs_from: number }).signs_from)
  return starts.sort((one, other) => one - other)
}

/** Throws unless exactly one key was made for each period. */
export function requireOnePerPeriod(starts: readonly number[], periodSeconds: number, now: number): void {
  assert.ok(starts.length >= 3, `${starts}`)
  for (const [index, start] of starts.slice(1).entries()) {
    const gap = start - (starts[index] ?? 0)
    assert.ok(gap >= periodSeconds && gap <= periodSeconds * 1.5, `${starts}`)
  }
  // The latest one waits.
  assert.equal(starts.filter((start) => start > now).length, 1, `${starts} at ${now}`)
}
