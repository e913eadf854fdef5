/** JWTs of others: parsing, the checks of a client's assertion, and DPoP proofs. */

import assert from 'node:assert/strict'
import fc from 'fast-check'
import { CompactSign, calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose'
import { readAssertion } from '../../../src/assertions/assertion.ts'
import { verifyAssertion } from '../../../src/assertions/verify.ts'
import { dpop } from '../../../src/confirmations/dpop.ts'
import { OAuthError } from '../../../src/errors.ts'
import { memoryStores } from '../../../src/stores/memory.ts'
import { edited, edits, type Fuzzed, fuzzed, octetsOf, readLater, readOr } from '../fuzzed.ts'

const NOW = 1_800_000_000
const ISSUER = 'https://tokens.example'
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const encode = (text: string): string => btoa(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')

/** Returns the object that a part of a JWT holds, by the platform's base64 decoder. */
function partOf(part: string): object | undefined {
  const octets = readOr(() => atob(part.replaceAll('-', '+').replaceAll('_', '/')), Error)?.value
  if (octets === undefined || encode(octets) !== part) return undefined
  const value: unknown = readOr(() => JSON.parse(strict.decode(octetsOf(octets))), Error)?.value
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
}

const JWT = ['.', '..', '=', '-', '_', 'e30', 'A', 'AA', ' ', ',', 'eyJhbGciOiJub25lIn0', '\n', '+', '/', '{}']
const jsons = fc.constantFrom(
  '{}',
  '{"alg":"ES256"}',
  '{"a":1,"a":2}',
  '{"a":[[[]]]}',
  '[]',
  'null',
  '',
  '{',
  '\xff',
  '\xef\xbb\xbf{}',
  `${'{"a":'.repeat(40)}1${'}'.repeat(40)}`,
)
const jwts = fc.record({ parts: fc.array(jsons, { minLength: 2, maxLength: 4 }), changes: edits(JWT) })

const parsed = fuzzed('assertion', jwts, ({ parts, changes }) => {
  const jws = edited(`${parts.map(encode).join('.')}.c2lnbmF0dXJl`, changes)
  const read = readAssertion(jws)
  if (read === undefined) return
  const [header = '', claims = '', signature = '', ...more] = jws.split('.')
  assert.equal(more.length, 0)
  assert.ok(signature !== '' && /^[\w-]+$/.test(signature))
  assert.deepEqual([read.header, read.claims], [partOf(header), partOf(claims)])
  assert.ok(!jws.includes(encode('{"a":1,"a":2}')) || !(header + claims).includes(encode('{"a":1,"a":2}')))
})

const own = await generateKeyPair('ES256', { extractable: true })
const other = await generateKeyPair('ES256', { extractable: true })
const ownJwk = await exportJWK(own.publicKey)
const otherJwk = await exportJWK(other.publicKey)

const odd: fc.Arbitrary<unknown> = fc.constantFrom(
  undefined,
  null,
  '',
  'x',
  0,
  -1,
  [],
  {},
  true,
  [null],
  1e308,
  'ES256',
  'none',
)
const maybe = (...usual: readonly unknown[]): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...usual) }, { weight: 1, arbitrary: odd })
const instants = [
  NOW - 3600,
  NOW - 31,
  NOW - 30,
  NOW - 29,
  NOW,
  NOW + 30,
  NOW + 31,
  NOW + 60,
  NOW + 330,
  NOW + 331,
  NOW + 0.5,
]

/** Members that are undefined are left out. */
const withoutUndefined = (members: object): Record<string, unknown> => JSON.parse(JSON.stringify(members))

async function signed(header: object, claims: object, isOwn: boolean): Promise<string | undefined> {
  const signer = new CompactSign(new TextEncoder().encode(JSON.stringify(withoutUndefined(claims))))
  const protectedHeader = { ...withoutUndefined(header), alg: 'ES256' }
  const made = await readLater(
    () => signer.setProtectedHeader(protectedHeader).sign((isOwn ? own : other).privateKey),
    Error,
  )
  return made?.value
}

const assertions = fc.record({
  header: fc.record({
    typ: maybe(undefined, undefined, 'JWT', 'jwt', 'at+jwt'),
    kid: maybe(undefined, undefined, 'a', 'b'),
  }),
  claims: fc.record({
    iss: maybe('c', 'c', 'c', 'd'),
    sub: maybe('c', 'c', 'c', 'd'),
    aud: maybe(ISSUER, ISSUER, [ISSUER], [ISSUER, 'x'], `${ISSUER}/`, [[ISSUER]]),
    exp: maybe(NOW + 60, NOW + 60, ...instants),
    nbf: maybe(undefined, undefined, undefined, ...instants),
    iat: maybe(undefined, undefined, undefined, ...instants),
    jti: maybe('1', '2', '3'),
  }),
  isOwn: fc.nat({ max: 7 }).map((number) => number > 0),
  changes: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: edits(JWT) }),
})

/** RFC 7523 §3 with the limits of this server, for the claims of an assertion. */
function isValid(header: Record<string, unknown>, claims: Record<string, unknown>): boolean {
  const { iss, sub, aud, exp, nbf, iat, jti } = claims
  const hasStarted = [nbf, iat].every(
    (instant) => instant === undefined || (typeof instant === 'number' && instant <= NOW + 30),
  )
  return (
    [undefined, 'JWT', 'jwt'].includes(header['typ'] as string | undefined) &&
    [undefined, 'a'].includes(header['kid'] as string | undefined) &&
    iss === 'c' &&
    sub === 'c' &&
    typeof jti === 'string' &&
    jti !== '' &&
    hasStarted &&
    (aud === ISSUER || (Array.isArray(aud) && aud.length === 1 && aud[0] === ISSUER)) &&
    typeof exp === 'number' &&
    exp > NOW - 30 &&
    exp <= NOW + 300 + 30
  )
}

const verified = fuzzed('client_assertion', assertions, async ({ header, claims, isOwn, changes }) => {
  const whole = await signed(header, claims, isOwn)
  if (whole === undefined) return
  const jws = edited(whole, changes)
  const assertion = readAssertion(jws)
  if (jws === whole) assert.ok(assertion !== undefined)
  if (assertion === undefined) return
  const { ledger } = memoryStores(() => NOW)
  const rules = {
    types: ['jwt'],
    alg: undefined,
    findKeys: async () => [{ ...ownJwk, kid: 'a' }],
    issuer: 'c',
    isSubject: (sub: unknown) => sub === 'c',
    audiences: [ISSUER],
    maxLifetimeSeconds: 300,
    now: NOW,
    once: { ledger, purpose: 'client' },
  }
  const isGood = jws === whole && isOwn && isValid(withoutUndefined(header), withoutUndefined(claims))
  assert.equal((await verifyAssertion(assertion, rules)) === undefined, isGood)
  if (isGood) assert.equal(await verifyAssertion(assertion, rules), 'assertion_replayed')
})

const TOKEN = `${ISSUER}/token`
const proofs = fc.record({
  header: fc.record({
    typ: maybe('dpop+jwt', 'dpop+jwt', 'DPoP+JWT', 'jwt'),
    jwk: maybe(
      ownJwk,
      ownJwk,
      ownJwk,
      otherJwk,
      { ...ownJwk, d: 'AA' },
      { ...ownJwk, y: ownJwk.x },
      { ...ownJwk, use: 'enc' },
      { ...ownJwk, kid: 'x' },
    ),
  }),
  claims: fc.record({
    htm: maybe('POST', 'POST', 'post', 'GET'),
    htu: maybe(
      TOKEN,
      TOKEN,
      `${TOKEN}?a=b#c`,
      `${TOKEN}/`,
      'HTTPS://TOKENS.EXAMPLE:443/./token',
      'https://tokens.example.evil/token',
      '/token',
    ),
    iat: maybe(NOW, NOW, NOW, ...instants, NOW - 89, NOW - 90),
    jti: maybe('1', '2'),
  }),
  isOwn: fc.nat({ max: 7 }).map((number) => number > 0),
  changes: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: edits(JWT) }),
})

const TARGETS: readonly unknown[] = [TOKEN, `${TOKEN}?a=b#c`, 'HTTPS://TOKENS.EXAMPLE:443/./token']

/** RFC 9449 §4.3, for the members of a proof. */
function isProof(
  header: Record<string, unknown>,
  { htm, htu, iat, jti }: Record<string, unknown>,
  signer: JWK,
): boolean {
  const { typ } = header
  const jwk = (header['jwk'] ?? {}) as Record<string, unknown>
  const isKey = jwk['x'] === signer.x && jwk['y'] === signer.y && !('d' in jwk) && jwk['use'] === undefined
  return (
    String(typ).toLowerCase() === 'dpop+jwt' &&
    isKey &&
    htm === 'POST' &&
    TARGETS.includes(htu) &&
    typeof iat === 'number' &&
    iat > NOW - 90 &&
    iat <= NOW + 30 &&
    typeof jti === 'string' &&
    jti !== ''
  )
}

const proof = fuzzed('dpop', proofs, async ({ header, claims, isOwn, changes }) => {
  const whole = await signed(header, claims, isOwn)
  if (whole === undefined) return
  const jws = edited(whole, changes)
  const headers = readOr(() => new Headers({ DPoP: jws }), TypeError)?.value
  if (headers === undefined) return
  const form = { get: () => null, getAll: () => [] }
  const context = { issuer: ISSUER, tokenEndpoint: TOKEN, now: NOW }
  const { ledger } = memoryStores(() => NOW)
  const read = await readLater(
    () => dpop({ ledger }).confirm({ headers, form }, { client_id: 'c' }, context),
    OAuthError,
  )
  const signer = isOwn ? ownJwk : otherJwk
  const isGood = headers.get('DPoP') === whole && isProof(withoutUndefined(header), withoutUndefined(claims), signer)
  assert.equal(read !== undefined, isGood)
  if (read === undefined) return
  assert.equal(read.value?.cnf['jkt'], await calculateJwkThumbprint(signer))
  await read.value?.claim?.()
  await assert.rejects(async () => read.value?.claim?.(), OAuthError)
})

export const JWT_READERS: readonly Fuzzed[] = [parsed, verified, proof]
