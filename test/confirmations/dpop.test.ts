import assert from 'node:assert/strict'
import { calculateJwkThumbprint, decodeJwt, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { describe, test } from '#test'
import { nonces } from '../../src/assertions/nonce.ts'
import { clientKey, clientRecord } from '../../src/clients/registry.ts'
import { dpop } from '../../src/confirmations/dpop.ts'
import { deriveHmacKey } from '../../src/keys/derived_key.ts'
import type { Reason } from '../../src/reasons.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import { clients, createWorld, ISSUER, NOW } from '../support/world.ts'

const ALGORITHMS = ['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'PS256'] as const
const pairs = new Map(
  await Promise.all(
    [...ALGORITHMS, 'RS256'].map(async (alg) => {
      const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
      return [alg, { privateKey, jwk: await exportJWK(publicKey) }] as const
    }),
  ),
)

const p256 = pairs.get('ES256')?.jwk
const stranger = await exportJWK((await generateKeyPair('ES256')).publicKey)
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

interface Making {
  readonly alg?: string
  readonly header?: Record<string, unknown>
  readonly claims?: Record<string, unknown>
}

/** Signs a proof; `undefined` removes a member. */
async function prove({ alg = 'ES256', header = {}, claims = {} }: Making = {}): Promise<string> {
  const pair = pairs.get(alg)
  assert.ok(pair !== undefined)
  const payload = { htm: 'POST', htu: `${ISSUER}/token`, iat: NOW, jti: crypto.randomUUID(), ...claims }
  const full = JSON.parse(JSON.stringify({ typ: 'dpop+jwt', jwk: pair.jwk, ...header, alg }))
  return new SignJWT(JSON.parse(JSON.stringify(payload))).setProtectedHeader(full).sign(pair.privateKey)
}

async function createDpopWorld({ withNonces = false } = {}) {
  const state = { now: NOW }
  const { registry, ledger } = memoryStores(() => state.now)
  const [testClient] = await clients()
  assert.ok(testClient !== undefined)
  for (const client of [testClient, { ...testClient, client_id: 'bound', dpop_bound_access_tokens: true }]) {
    await registry.put(clientKey(client.client_id), clientRecord(client))
  }
  const made = withNonces ? nonces(await deriveHmacKey('secret', 'dpop nonces')) : undefined
  const confirmations = [dpop({ ledger, nonces: made })]
  const { app, events } = await createWorld({ registry, confirmations, now: () => state.now })
  const send = async (proof?: string, client_id = 'test-client', path = '/token') => {
    const body = new URLSearchParams({ grant_type: 'client_credentials', client_id, client_secret: 'foobar' })
    const headers = new Headers(proof === undefined ? {} : { DPoP: proof })
    const response = await app.request(ISSUER + path, { method: 'POST', body, headers })
    const answer = (await response.json()) as Record<string, string>
    const event = events.at(-1)
    const reason = event?.event === 'request_refused' ? event.reason : undefined
    return { status: response.status, answer, reason, nonce: response.headers.get('DPoP-Nonce') }
  }
  return { state, send }
}

const world = createDpopWorld()

describe('dpop', () => {
  for (const alg of ALGORITHMS) {
    test(`binds the token to the key: ${alg}`, async () => {
      const { status, answer, nonce } = await (await world).send(await prove({ alg }))
      assert.equal(status, 200)
      assert.equal(answer['token_type'], 'DPoP')
      const jkt = await calculateJwkThumbprint(pairs.get(alg)?.jwk as JWK)
      assert.deepEqual(decodeJwt(answer['access_token'] ?? '')['cnf'], { jkt })
      assert.equal(nonce, null)
    })
  }

  test('without a proof the token is a bearer token, unless the client requires binding', async () => {
    const { send } = await world
    const { answer } = await send()
    assert.equal(answer['token_type'], 'bearer')
    assert.equal('cnf' in decodeJwt(answer['access_token'] ?? ''), false)
    const bound = await send(undefined, 'bound')
    assert.deepEqual([bound.status, bound.answer['error'], bound.reason], [400, 'invalid_dpop_proof', 'dpop_missing'])
    assert.equal((await send(await prove(), 'bound')).answer['token_type'], 'DPoP')
  })

  const accepted: readonly [name: string, making: Making, path?: string][] = [
    ['30 s ahead, within the skew', { claims: { iat: NOW + 30 } }],
    ['10 s old', { claims: { iat: NOW - 10 } }],
    ['89 s old, within the skew', { claims: { iat: NOW - 89 } }],
    ['with unknown members', { claims: { foo: { a: 1 } }, header: { foo: 'bar' } }],
    ['a request with a query', {}, '/token?foo=bar'],
    ['an htu with query and fragment', { claims: { htu: `${ISSUER}/token?a=1#b` } }],
    ['an htu with the default port and capitals in the host', { claims: { htu: 'HTTPS://TOKENS.example:443/token' } }],
    [
      'whose key says that it verifies',
      { header: { jwk: { ...p256, use: 'sig', key_ops: ['verify'], alg: 'ES256' } } },
    ],
    ['typ in capitals', { header: { typ: 'DPoP+JWT' } }],
  ]
  for (const [name, making, path] of accepted) {
    test(`accepts a proof ${name}`, async () => {
      assert.equal((await (await world).send(await prove(making), 'test-client', path)).status, 200)
    })
  }

  // RFC 9864 §2.2: two names for one algorithm.
  for (const alg of ['EdDSA', 'Ed25519']) {
    for (const named of ['EdDSA', 'Ed25519']) {
      test(`accepts a proof of ${alg} with a key for ${named}, whose thumbprint is that of the key without alg`, async () => {
        const jwk = pairs.get(alg)?.jwk as JWK
        const { status, answer } = await (await world).send(
          await prove({ alg, header: { jwk: { ...jwk, alg: named } } }),
        )
        assert.equal(status, 200)
        assert.deepEqual(decodeJwt(answer['access_token'] ?? '')['cnf'], { jkt: await calculateJwkThumbprint(jwk) })
      })
    }
  }

  for (const alg of ALGORITHMS) {
    test(`refuses other spellings of the key, which would have other thumbprints: ${alg}`, async () => {
      const jwk: JWK = pairs.get(alg)?.jwk as JWK
      for (const member of ['x', 'y', 'n', 'e'].filter((each) => each in jwk)) {
        const text = String((jwk as Record<string, unknown>)[member])
        const plain = text.replaceAll('-', '+').replaceAll('_', '/')
        for (const spelling of [
          `${text}=`,
          ` ${text}`,
          `${text}\n`,
          `A A${text}`,
          ...(plain === text ? [] : [plain]),
        ]) {
          const { status, reason } = await (await world).send(
            await prove({ alg, header: { jwk: { ...jwk, [member]: spelling } } }),
          )
          assert.deepEqual([status, reason], [400, 'dpop_key_wrong'], `${member} ${JSON.stringify(spelling)}`)
        }
      }
    })
  }

  const refused: readonly [name: string, making: Making, reason: Reason][] = [
    ['of RS256', { alg: 'RS256' }, 'dpop_alg_not_allowed'],
    ['without typ', { header: { typ: undefined } }, 'dpop_header_wrong'],
    ['of another typ', { header: { typ: 'JWT' } }, 'dpop_header_wrong'],
    ['whose typ is no text', { header: { typ: true } }, 'dpop_header_wrong'],
    ['without jwk', { header: { jwk: undefined } }, 'dpop_key_wrong'],
    ['whose jwk is no object', { header: { jwk: 'x' } }, 'dpop_key_wrong'],
    ['whose jwk is private', { header: { jwk: { ...pairs.get('ES256')?.jwk, d: 'x' } } }, 'dpop_key_wrong'],
    ['whose jwk is symmetric', { header: { jwk: { kty: 'oct', k: 'AAAA' } } }, 'dpop_key_wrong'],
    ['whose jwk is of another type', { header: { jwk: pairs.get('PS256')?.jwk } }, 'dpop_key_wrong'],
    ['with the key of another client', { header: { jwk: stranger } }, 'dpop_signature_wrong'],
    ['whose point is not on the curve', { header: { jwk: { ...p256, x: p256?.y } } }, 'dpop_signature_wrong'],
    ['whose point is cut', { header: { jwk: { ...p256, x: 'AAAA' } } }, 'dpop_key_wrong'],
    ['whose jwk is null', { header: { jwk: null } }, 'dpop_key_wrong'],
    ['whose jwk is a list', { header: { jwk: [p256] } }, 'dpop_key_wrong'],
    ['whose jwk is for encryption', { header: { jwk: { ...p256, use: 'enc' } } }, 'dpop_key_wrong'],
    ['whose jwk is for another algorithm', { header: { jwk: { ...p256, alg: 'ES384' } } }, 'dpop_key_wrong'],
    ...PRIVATE_MEMBERS.map((member): [string, Making, Reason] => [
      `whose jwk has ${member}`,
      { header: { jwk: { ...p256, [member]: 'AAAA' } } },
      'dpop_key_wrong',
    ]),
    ['with b64', { header: { b64: true } }, 'dpop_header_wrong'],
    ['without htm', { claims: { htm: undefined } }, 'dpop_htm_wrong'],
    ['for another method', { claims: { htm: 'GET' } }, 'dpop_htm_wrong'],
    ['for the method in small letters', { claims: { htm: 'post' } }, 'dpop_htm_wrong'],
    ['without htu', { claims: { htu: undefined } }, 'dpop_htu_wrong'],
    ['for another server', { claims: { htu: 'https://server.example.com/token' } }, 'dpop_htu_wrong'],
    ['for another path', { claims: { htu: `${ISSUER}/TOKEN` } }, 'dpop_htu_wrong'],
    ['for no URL', { claims: { htu: 'token' } }, 'dpop_htu_wrong'],
    ['without iat', { claims: { iat: undefined } }, 'dpop_iat_wrong'],
    ['whose iat is a text', { claims: { iat: `${NOW}` } }, 'dpop_iat_wrong'],
    ['too old', { claims: { iat: NOW - 90 } }, 'dpop_iat_wrong'],
    ['too far ahead', { claims: { iat: NOW + 30.5 } }, 'dpop_iat_wrong'],
    ['without jti', { claims: { jti: undefined } }, 'dpop_jti_missing'],
    ['whose jti is a number', { claims: { jti: 7 } }, 'dpop_jti_missing'],
    ['whose jti is empty', { claims: { jti: '' } }, 'dpop_jti_missing'],
    ['whose htu is a list', { claims: { htu: [`${ISSUER}/token`] } }, 'dpop_htu_wrong'],
    ['for another scheme', { claims: { htu: `${ISSUER.replace('https', 'http')}/token` } }, 'dpop_htu_wrong'],
  ]
  for (const [name, making, reason] of refused) {
    test(`refuses a proof ${name}`, async () => {
      const { status, answer, reason: told } = await (await world).send(await prove(making))
      assert.deepEqual([status, answer['error'], told], [400, 'invalid_dpop_proof', reason])
    })
  }

  test('refuses crit, and anything but one JWT', async () => {
    const { send } = await world
    const encode = (value: object) =>
      btoa(JSON.stringify(value)).replace(/=+$/, '').replaceAll('+', '-').replaceAll('/', '_')
    const critical = { typ: 'dpop+jwt', alg: 'ES256', crit: ['x'], x: 1 }
    assert.equal((await send(`${encode(critical)}.${encode({})}.AAAA`)).reason, 'dpop_header_wrong')
    for (const text of [
      '',
      'a.b.c',
      `${await prove()}, ${await prove()}`,
      (await prove()).slice(0, 50),
      'x'.repeat(20_000),
    ]) {
      const { status, reason } = await send(text)
      assert.deepEqual([status, reason], [400, 'dpop_malformed'])
    }
  })

  test('accepts one of a hundred concurrent uses of a proof; another key may use the same jti', async () => {
    const { send } = await world
    const claims = { jti: crypto.randomUUID() }
    const proof = await prove({ claims })
    const answers = await Promise.all(Array.from({ length: 100 }, () => send(proof)))
    assert.equal(answers.filter(({ status }) => status === 200).length, 1)
    assert.equal((await send(await prove({ claims: { ...claims, iat: NOW + 1 } }))).reason, 'dpop_replayed')
    assert.equal((await send(await prove({ alg: 'EdDSA', claims }))).status, 200)
  })

  test('a refused proof does not use up its jti, and the replay mark lasts as long as the proof', async () => {
    const { send, state } = await createDpopWorld()
    const claims = { jti: crypto.randomUUID() }
    assert.equal((await send(await prove({ claims: { ...claims, htm: 'GET' } }))).status, 400)
    const proof = await prove({ claims })
    assert.equal((await send(proof)).status, 200)
    state.now = NOW + 89
    assert.equal((await send(proof)).reason, 'dpop_replayed')
    state.now = NOW + 90
    assert.equal((await send(proof)).reason, 'dpop_iat_wrong')
  })
})

describe('dpop with nonces', () => {
  test('requires one, accepts it for up to two minutes, and sends the next with each token', async () => {
    const { send, state } = await createDpopWorld({ withNonces: true })
    const first = await send(await prove())
    assert.deepEqual([first.status, first.answer['error'], first.reason], [400, 'use_dpop_nonce', 'dpop_nonce_wrong'])
    const { nonce } = first
    assert.match(nonce ?? '', /^[\w-]{22}$/)
    const proveAt = (iat: number) => prove({ claims: { nonce, iat } })
    const second = await send(await proveAt(NOW))
    assert.equal(second.status, 200)
    assert.equal(second.nonce, nonce)
    state.now = NOW + 60
    const third = await send(await proveAt(NOW + 60))
    assert.equal(third.status, 200)
    assert.notEqual(third.nonce, nonce)
    state.now = NOW + 120
    assert.equal((await send(await proveAt(NOW + 120))).answer['error'], 'use_dpop_nonce')
  })

  test('refuses an invented nonce, and one that is not a string', async () => {
    const { send } = await createDpopWorld({ withNonces: true })
    for (const nonce of ['', 'A'.repeat(22), 7, null]) {
      assert.equal((await send(await prove({ claims: { nonce } }))).reason, 'dpop_nonce_wrong')
    }
  })

  test('a nonce is accepted from the period before its own to the end of the next, on every process with the same secret', async () => {
    const [one, other] = await Promise.all([1, 2].map(async () => nonces(await deriveHmacKey('secret', 'dpop nonces'))))
    for (const [at, seen] of [
      [NOW, true],
      [NOW + 59.9, true],
      [NOW + 60, true],
      [NOW + 119.9, true],
      [NOW + 120, false],
      [NOW - 60, true],
      [NOW - 60.1, false],
    ] as const) {
      assert.equal(await other?.isGood(await one?.current(NOW), at), seen, `${at - NOW}`)
    }
    assert.equal(await one?.current(NOW), await one?.current(NOW + 59.9))
  })

  test('the same secret makes the same nonces, and another purpose other nonces', async () => {
    const of = async (secret: string, purpose: string) => nonces(await deriveHmacKey(secret, purpose)).current(NOW)
    assert.equal(await of('secret', 'dpop nonces'), await of('secret', 'dpop nonces'))
    assert.notEqual(await of('secret', 'dpop nonces'), await of('secret', 'else'))
    assert.notEqual(await of('secret', 'dpop nonces'), await of('secret2', 'dpop nonces'))
  })

  test('a request without a proof needs no nonce', async () => {
    const { send } = await createDpopWorld({ withNonces: true })
    const { status, nonce } = await send()
    assert.deepEqual([status, nonce], [200, null])
  })
})
