import assert from 'node:assert/strict'
import { decodeJwt, exportJWK } from 'jose'
import { describe, test } from '#test'
import type { Reason } from '../../src/reasons.ts'
import { signJwt } from '../../src/tokens/sign.ts'
import {
  createFederated,
  credential,
  type FederatedWorld,
  federatedClient,
  JWT_BEARER,
  makePair,
  signToken,
} from '../support/federation.ts'
import { clients, ISSUER, NOW } from '../support/world.ts'
import { type Claims, PLATFORMS, type Platform } from './platform_tokens.ts'

const pairs = {
  RS256: await makePair('RS256', 'rs'),
  ES256: await makePair('ES256', 'es'),
  ES384: await makePair('ES384', 'es384'),
}
const stranger = await makePair('RS256', 'rs')
const pairOf = (alg: unknown) => pairs[alg as keyof typeof pairs]

const [GITHUB, GITLAB, KUBERNETES, GOOGLE, AZURE, AWS] = PLATFORMS as readonly [
  Platform,
  Platform,
  Platform,
  Platform,
  Platform,
  Platform,
]

interface Making {
  readonly header?: Claims
  readonly claims?: Claims
  readonly key?: CryptoKey
}

/** Signs a token of a platform; `undefined` removes a member. */
function sign({ issuer: { issuer }, header, claims }: Platform, made: Making = {}): Promise<string> {
  const alg = made.header?.['alg'] ?? header['alg']
  const { privateKey, publicJwk } = pairOf(alg) ?? pairs.RS256
  const all = { iss: issuer, aud: ISSUER, ...claims, ...made.claims }
  const jti = 'jti' in claims && !('jti' in (made.claims ?? {})) ? { jti: crypto.randomUUID() } : {}
  return signToken({ ...header, kid: publicJwk.kid, ...made.header }, { ...all, ...jti }, made.key ?? privateKey)
}

/** A world that trusts every platform, with a client of the name of each. */
async function createPlatforms(): Promise<FederatedWorld> {
  const world = await createFederated()
  for (const platform of PLATFORMS) {
    const { issuer, rules, name } = platform
    await world.trust(issuer)
    world.publish(
      issuer.issuer,
      Object.values(pairs).map(({ publicJwk }) => publicJwk),
    )
    await world.put(federatedClient(name, [credential(issuer.issuer, rules)]))
  }
  const [testClient] = await clients()
  if (testClient !== undefined) await world.put(testClient)
  await world.put(federatedClient('disabled', [credential(GITHUB.issuer.issuer, GITHUB.rules)], { disabled: true }))
  await world.put(federatedClient('no rules', []))
  return world
}

const shared = createPlatforms()

/** The names of the functions that send a token: as the client assertion, and as the subject token of a token exchange. */
const FORMS = ['send', 'exchange'] as const

for (const [platform, form] of PLATFORMS.flatMap((platform) => FORMS.map((form) => [platform, form] as const))) {
  describe(`federated_jwt, ${platform.name}, ${form}`, () => {
    for (const [name, claims] of [['the token as it is documented', {}] as const, ...platform.good]) {
      test(`accepts ${name}`, async () => {
        const world = await shared
        const jws = await sign(platform, { claims })
        const { status, body, event } = await world[form](jws, { client_id: platform.name })
        assert.equal(status, 200)
        const { sub, client_id } = decodeJwt(String(body['access_token']))
        assert.deepEqual([sub, client_id], [platform.name, platform.name])
        assert.ok(event?.event === 'token_issued')
        const found = { ...platform.claims, ...claims } as Record<string, unknown>
        assert.equal(event.credential_id, 'rule')
        assert.equal(event.assertion_iss, platform.issuer.issuer)
        assert.equal(event.assertion_sub, found['sub'])
        assert.equal(typeof event.assertion_jti, 'jti' in platform.claims ? 'string' : 'undefined')
      })
    }

    for (const [name, claims] of platform.bad) {
      test(`refuses ${name}`, async () => {
        const world = await shared
        const jws = await sign(platform, { claims })
        const { status, reason, body } = await world[form](jws, { client_id: platform.name })
        assert.deepEqual([status, body['error'], reason], [401, 'invalid_client', 'federation_no_rule'])
      })
    }
  })
}

describe('federated_jwt, refused with 401 invalid_client and one text', () => {
  const { publicJwk } = stranger
  const refused: readonly [name: string, platform: Platform, making: Making, reason: Reason][] = [
    ['typ of an access token', GITHUB, { header: { typ: 'at+jwt' } }, 'assertion_typ_wrong'],
    ...[
      'dpop+jwt',
      'logout+jwt',
      'secevent+jwt',
      'oauth-id-jag+jwt',
      'txntoken+jwt',
      'token-introspection+jwt',
      'oauth-client-attestation+jwt',
      'client-authentication+jwt',
      '',
    ].map((typ): [string, Platform, Making, Reason] => [
      `typ ${typ}`,
      GITHUB,
      { header: { typ } },
      'assertion_typ_wrong',
    ]),
    ['typ that is no text', GITHUB, { header: { typ: 1 } }, 'assertion_typ_wrong'],
    [
      'crit',
      GITHUB,
      { header: { crit: ['http://example.invalid/UNDEFINED'], 'http://example.invalid/UNDEFINED': true } },
      'assertion_crit',
    ],
    ['b64', GITHUB, { header: { b64: true, crit: ['b64'] } }, 'assertion_crit'],
    ['kid that is a number', GITHUB, { header: { kid: 1 } }, 'assertion_malformed'],
    ['an algorithm that the issuer does not use', GITHUB, { header: { alg: 'ES384' } }, 'assertion_alg_not_allowed'],
    ['unknown kid', GITHUB, { header: { kid: 'nope' } }, 'assertion_key_unknown'],
    ['kid of a key of another type', GITHUB, { header: { kid: 'es' } }, 'assertion_key_unknown'],
    ['signed by a stranger', GITHUB, { key: stranger.privateKey }, 'assertion_signature_wrong'],
    ...Object.entries({
      jwk: publicJwk,
      jku: 'https://evil.example/jwks',
      x5u: 'https://evil.example/x',
      x5c: ['AA'],
    }).map(([member, value]): [string, Platform, Making, Reason] => [
      `signed by a stranger, ${member} in the header`,
      GITHUB,
      { key: stranger.privateKey, header: { [member]: value, kid: undefined } },
      'assertion_signature_wrong',
    ]),
    ['iss of another trusted issuer', GITHUB, { claims: { iss: GITLAB.issuer.issuer } }, 'federation_issuer_unknown'],
    ['iss with a final slash', GITHUB, { claims: { iss: `${GITHUB.issuer.issuer}/` } }, 'federation_issuer_unknown'],
    [
      'iss without its final slash',
      AZURE,
      { claims: { iss: AZURE.issuer.issuer.replace(/\/$/, '') } },
      'federation_issuer_unknown',
    ],
    ['iss in capitals', GITHUB, { claims: { iss: GITHUB.issuer.issuer.toUpperCase() } }, 'federation_issuer_unknown'],
    ['iss in a list', GITHUB, { claims: { iss: [GITHUB.issuer.issuer] } }, 'federation_issuer_unknown'],
    ['no iss', GITHUB, { claims: { iss: undefined } }, 'federation_issuer_unknown'],
    ['iss null', GITHUB, { claims: { iss: null } }, 'federation_issuer_unknown'],
    ['an issuer that nobody trusts', GITHUB, { claims: { iss: 'https://evil.example' } }, 'federation_issuer_unknown'],
    [
      'an issuer that only another client has a rule for',
      KUBERNETES,
      { claims: { iss: GOOGLE.issuer.issuer } },
      'federation_issuer_unknown',
    ],
    ['our own issuer', GITHUB, { claims: { iss: ISSUER } }, 'federation_issuer_unknown'],
    ['no exp', GITHUB, { claims: { exp: undefined } }, 'assertion_exp_missing'],
    ['exp as text', GITHUB, { claims: { exp: `${NOW + 60}` } }, 'assertion_exp_missing'],
    ['exp null', GITHUB, { claims: { exp: null } }, 'assertion_exp_missing'],
    ['expired', GITHUB, { claims: { exp: NOW - 30 } }, 'assertion_expired'],
    ['nbf ahead', GITHUB, { claims: { nbf: NOW + 31 } }, 'assertion_not_yet_valid'],
    ['iat ahead', GITHUB, { claims: { iat: NOW + 31 } }, 'assertion_not_yet_valid'],
    ['iat as text', GITHUB, { claims: { iat: `${NOW}` } }, 'assertion_not_yet_valid'],
    ['iat null', GITHUB, { claims: { iat: null } }, 'assertion_not_yet_valid'],
    ['older than max_age', KUBERNETES, { claims: { iat: NOW - 3601 } }, 'assertion_too_old'],
    [
      'without iat, and an exp beyond max_age',
      GOOGLE,
      { claims: { iat: undefined, exp: NOW + 3601 } },
      'assertion_too_old',
    ],
    ['no aud', GITHUB, { claims: { aud: undefined } }, 'assertion_aud_wrong'],
    [
      'the default aud of the platform',
      GITHUB,
      { claims: { aud: 'https://github.com/octo-org' } },
      'assertion_aud_wrong',
    ],
    ['the token endpoint as aud', GITHUB, { claims: { aud: `${ISSUER}/token` } }, 'assertion_aud_wrong'],
    ['aud with a slash behind', GITHUB, { claims: { aud: `${ISSUER}/` } }, 'assertion_aud_wrong'],
    ['two audiences', AWS, { claims: { aud: [ISSUER, 'https://evil.example'] } }, 'assertion_aud_wrong'],
    ['our audience twice', AWS, { claims: { aud: [ISSUER, ISSUER] } }, 'assertion_aud_wrong'],
    ['two audiences, one null', AWS, { claims: { aud: [ISSUER, null] } }, 'assertion_aud_wrong'],
    ['an audience in a list in a list', AWS, { claims: { aud: [[ISSUER]] } }, 'assertion_aud_wrong'],
    ['no audience', AWS, { claims: { aud: [] } }, 'assertion_aud_wrong'],
    ['the audience of another issuer', GITLAB, { claims: { aud: 'api://edgemint' } }, 'assertion_aud_wrong'],
    ['no sub', GITHUB, { claims: { sub: undefined } }, 'assertion_sub_wrong'],
    ['an empty sub', GITHUB, { claims: { sub: '' } }, 'assertion_sub_wrong'],
    ['a sub of 2049 characters', GITHUB, { claims: { sub: 'x'.repeat(2049) } }, 'assertion_sub_wrong'],
    ['no jti, where a token is used once', GITHUB, { claims: { jti: undefined } }, 'assertion_jti_missing'],
    ['jti as a number, where a token is used once', GITHUB, { claims: { jti: 7 } }, 'assertion_jti_missing'],
    ['an empty jti, where a token is used once', GITHUB, { claims: { jti: '' } }, 'assertion_jti_missing'],
  ]
  for (const [name, platform, making, reason] of refused) {
    test(name, async () => {
      const world = await shared
      for (const form of FORMS) {
        const jws = await sign(platform, making)
        const { status, reason: told, body } = await world[form](jws, { client_id: platform.name })
        assert.deepEqual([status, told], [401, reason])
        assert.deepEqual(body, { error: 'invalid_client', error_description: 'Client authentication failed.' })
      }
      assert.ok(!world.fetched.some((url) => url.includes('evil')))
    })
  }

  test('alg none, and HS256 with the public key', async () => {
    const { send } = await shared
    const encode = (value: object) => btoa(JSON.stringify(value)).replace(/=+$/, '')
    const { iss, ...more } = { iss: GITHUB.issuer.issuer, aud: ISSUER, ...GITHUB.claims }
    const body = encode({ iss, ...more })
    const secret = new TextEncoder().encode(JSON.stringify(pairs.RS256.publicJwk))
    const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
    const input = `${encode({ alg: 'HS256', kid: 'rs' })}.${body}`
    const mac = await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(input))
    const signature = btoa(String.fromCharCode(...new Uint8Array(mac)))
      .replaceAll('+', '-')
      .replaceAll('/', '_')
      .replace(/=+$/, '')
    for (const jws of [
      `${input}.${signature}`,
      `${encode({ alg: 'none' })}.${body}.AAAA`,
      `${encode({ alg: 'nOnE' })}.${body}.AAAA`,
    ]) {
      const { status, reason } = await send(jws, { client_id: GITHUB.name })
      assert.deepEqual([status, reason], [401, 'assertion_alg_not_allowed'])
    }
  })

  test('16 KiB is accepted, one character more is not', async () => {
    const { send } = await shared
    const sized = async (length: number): Promise<string> => {
      // Base64url has no text of 1, 5, 9… characters, so the header takes up the difference.
      for (const y of ['', 'y', 'yy', 'yyy']) {
        const make = (x: string) => sign(GITHUB, { header: { y }, claims: { x } })
        const missing = length - (await make('')).length
        for (let more = Math.floor((missing * 3) / 4) - 2; more <= (missing * 3) / 4 + 2; more++) {
          const jws = await make('x'.repeat(more))
          if (jws.length === length) return jws
        }
      }
      throw new Error('there is no such length')
    }
    const form = { client_id: GITHUB.name }
    assert.equal((await send(await sized(16 * 1024), form)).status, 200)
    const { status, reason, event } = await send(await sized(16 * 1024 + 1), form)
    assert.deepEqual([status, reason, event?.client_id], [401, 'assertion_malformed', GITHUB.name])
  })

  test('repeated members, and what is no JWT', async () => {
    const { send } = await shared
    const encode = (text: string) => btoa(text).replace(/=+$/, '')
    for (const jws of [
      `${encode('{"alg":"RS256","alg":"none"}')}.${encode('{"iss":"a","sub":"a"}')}.AAAA`,
      `${encode('{"alg":"RS256"}')}.${encode('{"iss":"a","iss":"b","sub":"a"}')}.AAAA`,
      `${encode('{"alg":"none"}')}.${encode('{"iss":"a","sub":"a"}')}.`,
      'a.b.c',
      'x',
    ]) {
      const { status, reason, event } = await send(jws, { client_id: GITHUB.name })
      assert.deepEqual([status, reason, event?.client_id], [401, 'assertion_malformed', GITHUB.name])
      const unnamed = await send(jws)
      assert.deepEqual([unnamed.status, unnamed.reason], [401, 'assertion_malformed'])
      assert.deepEqual(unnamed.body, { error: 'invalid_client', error_description: 'Client authentication failed.' })
    }
    assert.equal((await send('', { client_id: GITHUB.name })).status, 400)
  })

  test('tokens of this server, of every type', async () => {
    const { send, exchange, keyring, app, put, trust, publish } = await createPlatforms()
    const signing = keyring.at(NOW).signing()
    assert.ok(signing !== undefined)
    await trust({ issuer: ISSUER })
    publish(ISSUER, [await exportJWK(signing.publicKey)])
    await put(federatedClient('self', [credential(ISSUER, { sub: 'test-client' })]))
    const headers = { Authorization: `Basic ${btoa('test-client:foobar')}` }
    const body = new URLSearchParams({ grant_type: 'client_credentials' })
    const issued = await app.request('/token', { method: 'POST', headers, body })
    const { access_token } = (await issued.json()) as { access_token: string }
    const claims = { iss: ISSUER, sub: 'test-client', aud: ISSUER, iat: NOW, exp: NOW + 60, jti: 'x' }
    const types = ['at+jwt', 'JWT', 'token-introspection+jwt', 'revocations+jwt']
    const made = await Promise.all(types.map((typ) => signJwt(claims, typ, signing)))
    for (const jws of [access_token, ...made]) {
      for (const { status, reason } of [
        await send(jws, { client_id: 'self' }),
        await exchange(jws, { client_id: 'self' }),
      ]) {
        assert.deepEqual([status, reason], [401, 'federation_issuer_unknown'])
      }
    }
  })
})

describe('federated_jwt, the client', () => {
  test('names itself; its name is not compared with the sub', async () => {
    const { send } = await shared
    const jws = await sign(GITLAB)
    assert.equal((await send(jws, { client_id: GITLAB.name })).status, 200)
    const reasons = [
      [{ client_id: GOOGLE.name }, 'federation_issuer_unknown'],
      [{ client_id: 'nobody' }, 'client_unknown'],
      [{ client_id: 'disabled' }, 'client_disabled'],
      [{ client_id: 'no rules' }, 'federation_issuer_unknown'],
      [{ client_id: 'test-client' }, 'auth_method_mismatch'],
      [{}, 'client_unknown'],
    ] as const
    for (const [form, reason] of reasons) {
      const sent = await send(jws, form)
      assert.deepEqual([sent.status, sent.reason], [401, reason])
    }
  })

  test('may have the sub as its name, and then need not name itself', async () => {
    const { send, put } = await createPlatforms()
    const { sub } = KUBERNETES.claims as { sub: string }
    await put(federatedClient(sub, [credential(KUBERNETES.issuer.issuer, { sub })]))
    assert.equal((await send(await sign(KUBERNETES))).status, 200)
  })

  test('has one method: a client of federated_jwt cannot sign for itself, nor one of private_key_jwt use a platform', async () => {
    const { send, put } = await createPlatforms()
    const own = await makePair('ES256', 'own')
    const jwks = { keys: [own.publicJwk as Record<string, unknown>] }
    const rules = [credential(GITLAB.issuer.issuer, GITLAB.rules)]
    await put(federatedClient('a', rules, { jwks }))
    await put(federatedClient('b', rules, { jwks, token_endpoint_auth_method: 'private_key_jwt' }))
    const selfSigned = (client_id: string) =>
      signToken(
        { alg: 'ES256' },
        { iss: client_id, sub: client_id, aud: ISSUER, exp: NOW + 60, jti: crypto.randomUUID() },
        own.privateKey,
      )
    assert.equal((await send(await selfSigned('b'))).status, 200)
    assert.equal((await send(await selfSigned('a'))).reason, 'federation_issuer_unknown')
    assert.equal((await send(await sign(GITLAB), { client_id: 'a' })).status, 200)
    assert.equal((await send(await sign(GITLAB), { client_id: 'b' })).reason, 'auth_method_mismatch')
  })

  test('can revoke and introspect with the same token', async () => {
    const { send } = await createPlatforms()
    const client_assertion = await sign(GITLAB)
    const form = { client_id: GITLAB.name }
    const { body } = await send(client_assertion, form)
    const token = String(body['access_token'])
    assert.equal((await send(client_assertion, { ...form, token }, '/introspect')).body['active'], true)
    assert.equal((await send(client_assertion, { ...form, token }, '/revoke')).status, 200)
    assert.equal((await send(client_assertion, { ...form, token }, '/introspect')).body['active'], false)
  })

  test('refuses a second kind of credentials, a missing assertion and another type', async () => {
    const { send, app } = await shared
    const jws = await sign(GITLAB)
    assert.equal((await send(undefined, { client_id: GITLAB.name })).reason, 'assertion_missing')
    assert.equal(
      (await send(jws, { client_id: GITLAB.name, client_assertion_type: 'x' })).reason,
      'assertion_type_unknown',
    )
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: JWT_BEARER,
      client_assertion: jws,
    })
    const headers = { Authorization: `Basic ${btoa('test-client:foobar')}` }
    assert.equal((await app.request('/token', { method: 'POST', headers, body })).status, 400)
  })
})

describe('federated_jwt, rules', () => {
  test('any of several credentials is enough, an expired one is none, and a new one counts two seconds later', async () => {
    const { send, put, state } = await createPlatforms()
    const { issuer } = GITLAB.issuer
    const one = credential(issuer, { project_id: '1' }, { id: 'one' })
    const two = credential(issuer, { project_id: '20' }, { id: 'two', expires_at: NOW + 10 })
    await put(federatedClient('c', [one, two]))
    const form = { client_id: 'c' }
    const { event } = await send(await sign(GITLAB), form)
    assert.ok(event?.event === 'token_issued')
    assert.equal(event.credential_id, 'two')
    state.now = NOW + 10
    assert.equal((await send(await sign(GITLAB), form)).reason, 'federation_no_rule')
    await put(federatedClient('c', [one, { ...two, expires_at: 0 }]))
    state.now = NOW + 12
    assert.equal((await send(await sign(GITLAB), form)).status, 200)
  })

  test('the first that holds decides', async () => {
    const { send, put } = await createPlatforms()
    const rules = ['production', 'production', 'staging'].map((environment, index) =>
      credential(GITLAB.issuer.issuer, { project_id: '20', environment }, { id: `r${index}` }),
    )
    await put(federatedClient('c', rules.toReversed()))
    const { event } = await send(await sign(GITLAB), { client_id: 'c' })
    assert.ok(event?.event === 'token_issued')
    assert.equal(event.credential_id, 'r1')
  })

  test('rules that pin too little for the issuer as it is now do not count', async () => {
    const { issuer } = GITLAB.issuer
    const byName = federatedClient('c', [credential(issuer, { project_path: 'my-group/my-project' })])
    const strict = await createWith((world) => world.put(byName))
    const form = { client_id: 'c' }
    assert.equal((await strict.send(await sign(GITLAB), form)).reason, 'federation_no_rule')
    const lax = await createWith(async (world) => {
      await world.trust({ issuer, required_claims: ['project_path'] })
      await world.put(byName)
    })
    assert.equal((await lax.send(await sign(GITLAB), form)).status, 200)
  })

  test('an issuer that is disabled, deleted or for something else is not trusted', async () => {
    const { issuer } = GITLAB.issuer
    const form = { client_id: GITLAB.name }
    for (const more of [{ disabled: true }, { uses: [] }]) {
      const { send } = await createWith((world) => world.trust({ issuer, ...more }))
      assert.equal((await send(await sign(GITLAB), form)).reason, 'federation_issuer_unknown')
    }
    const { send } = await createWith((world) => world.registry.delete(`issuer:${issuer}`))
    assert.equal((await send(await sign(GITLAB), form)).reason, 'federation_issuer_unknown')
  })

  test('a type that the issuer lists is accepted', async () => {
    const { issuer } = GITLAB.issuer
    const { send } = await createWith((world) => world.trust({ issuer, token_types: ['ci+jwt'] }))
    const form = { client_id: GITLAB.name }
    for (const typ of ['CI+JWT', 'JOSE', 'jwt', undefined]) {
      assert.equal((await send(await sign(GITLAB, { header: { typ } }), form)).status, 200)
    }
    assert.equal((await send(await sign(GITLAB, { header: { typ: 'at+jwt' } }), form)).reason, 'assertion_typ_wrong')
  })
})

/** A world of platforms that `change` has changed before anything was read. */
async function createWith(change: (world: FederatedWorld) => Promise<unknown>): Promise<FederatedWorld> {
  const world = await createPlatforms()
  await change(world)
  return world
}
