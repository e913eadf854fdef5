import assert from 'node:assert/strict'
import { exportJWK, generateKeyPair } from 'jose'
import { describe, test } from '#test'
import { clientKey } from '../../src/clients/registry.ts'
import { generateSecret } from '../../src/secrets/generated.ts'
import { hashSecret } from '../../src/secrets/hashes.ts'
import { createManaged } from '../support/managed.ts'
import { NOW } from '../support/world.ts'

const END = NOW + 1000
const hash = await hashSecret(generateSecret())
const PUBLIC_JWK = await exportJWK((await generateKeyPair('ES256')).publicKey)
const CERTIFICATE_NAMES: Readonly<Record<string, string>> = {
  subject_dn: 'CN=client',
  san_dns: 'client.example',
  san_uri: 'https://client.example/',
  san_ip: '192.0.2.1',
  san_email: 'client@client.example',
}
type Ends = readonly (number | undefined)[]

/** Registers a client whose secrets expire at `ends`; returns functions with which the client and the operator add secrets. */
async function createLimited(ends: Ends) {
  const made = await createManaged()
  const { send } = made
  const { answer } = await send('POST', '/register', { body: {} })
  const path = `/register/${answer.client_id}`
  const set = (list: Ends) => {
    const client_secrets = list.map((expires_at, index) => ({ id: `${index}`, hash, expires_at }))
    return send('PUT', path, { body: { client_secrets } })
  }
  assert.equal((await set(ends)).status, 200)
  const { registration_access_token: token } = answer
  const add = async (body: object = {}, by: 'client' | 'operator' = 'client') => {
    const added = await send('POST', `${path}/secrets`, { body, ...(by === 'client' && { token }) })
    return { ...added, end: added.answer['expires_at'] }
  }
  const endsNow = async () => {
    const { client_secrets } = (await send('GET', path, { token })).answer
    return (client_secrets as { expires_at?: number }[]).map(({ expires_at }) => expires_at)
  }
  return { ...made, client_id: answer.client_id, path, token, set, add, endsNow }
}

describe('a secret that a client creates itself', () => {
  const cases: readonly [name: string, ends: Ends, asked: object, end: number][] = [
    ['where no end was set it has none', [0], {}, 0],
    ['where no end was set it has the one asked for', [0], { expires_at: END }, END],
    ['next to one without expires_at it does not expire', [END, undefined], {}, 0],
    ['where the client has no secret it has none', [], {}, 0],
    ['next to one that does not expire it does not expire', [END, 0], {}, 0],
    ['ends with the latest of the others', [END - 10, END, END - 20], {}, END],
    ['ends sooner when that is asked', [END], { expires_at: END - 1 }, END - 1],
    ['ends no later when that is asked', [END], { expires_at: END + 1 }, END],
    ['ends all the same when 0 is asked', [END], { expires_at: 0 }, END],
    ['ends with the others when those are cut short', [END], { keep_others_until: NOW + 1 }, END],
    ['ends with the latest of the others, some of which have expired', [NOW - 1, END], {}, END],
  ]
  for (const [name, ends, asked, end] of cases) {
    test(name, async () => {
      const { add, endsNow } = await createLimited(ends)
      const added = await add(asked)
      assert.deepEqual([added.status, added.end], [201, end])
      assert.equal((await endsNow()).at(-1), end)
    })
  }

  for (const [name, takeAway] of [
    ['deletes the secret', (path: string) => ({ method: 'DELETE', path: `${path}/secrets/0` })],
    ['replaces the list by an empty one', (path: string) => ({ method: 'PUT', path, body: { client_secrets: [] } })],
  ] as const) {
    test(`ends by the same limit after the operator ${name} that set it`, async () => {
      const { send, path, add } = await createLimited([END])
      const { method, path: at, ...rest } = takeAway(path)
      assert.ok((await send(method, at, rest)).status < 300)
      const added = await add()
      assert.deepEqual([added.status, added.end], [201, END])
    })
  }

  test('shortens the life of the others, even without expires_at, and never extends it', async () => {
    const { add, endsNow } = await createLimited([undefined, 0, NOW + 5, NOW + 20, NOW - 1])
    assert.equal((await add({ keep_others_until: NOW + 10, expires_at: END })).status, 201)
    assert.deepEqual(await endsNow(), [NOW + 10, NOW + 10, NOW + 5, NOW + 10, END])
    assert.equal((await add({ keep_others_until: 1 })).status, 201)
    assert.deepEqual(await endsNow(), [1, 1, 1, 1, 1, 0])
    assert.deepEqual(
      [(await add({ label: 'x'.repeat(100) })).status, (await add({ label: 'x'.repeat(101) })).status],
      [201, 400],
    )
  })

  test('is refused when the others have expired, and in their last second', async () => {
    for (const [now, status] of [
      [END - 1, 201],
      [END, 400],
      [END + 9999, 400],
    ]) {
      const { state, add, endsNow } = await createLimited([END - 5, END])
      state.now = now ?? 0
      const { answer, reason, ...added } = await add({ expires_at: END + 10_000 })
      assert.equal(added.status, status)
      if (status === 201) continue
      assert.deepEqual([answer['error'], reason], ['invalid_client_metadata', 'metadata_not_yours'])
      assert.match(String(answer['error_description']), /^client_secrets: .*operator/)
      assert.deepEqual(await endsNow(), [END - 5, END])
    }
  })

  test('does not authenticate after the limit that the operator set', async () => {
    const { state, add, grant, client_id } = await createLimited([END])
    const { answer } = await add()
    state.now = END - 1
    assert.equal(await grant(client_id, answer.client_secret), 200)
    state.now = END
    assert.equal(await grant(client_id, answer.client_secret), 401)
  })

  test('keeps the limit when the client deletes the secrets that set it', async () => {
    const { send, path, token, add, state } = await createLimited([END])
    assert.equal((await send('DELETE', `${path}/secrets/0`, { token })).status, 204)
    assert.equal((await add()).end, END)
    const { answer } = await send('GET', path, { token })
    for (const { id } of answer['client_secrets'] as { id: string }[]) {
      assert.equal((await send('DELETE', `${path}/secrets/${id}`, { token })).status, 204)
    }
    const replaced = await send('PUT', path, { token, body: { client_name: 'a' } })
    assert.deepEqual([replaced.status, replaced.answer['client_secret_expires_at']], [200, END])
    const [{ id } = { id: '' }] = replaced.answer['client_secrets'] as { id: string }[]
    assert.equal((await send('DELETE', `${path}/secrets/${id}`, { token })).status, 204)
    state.now = END
    assert.equal((await send('PUT', path, { token, body: { client_name: 'b' } })).reason, 'metadata_not_yours')
    assert.equal((await add()).reason, 'metadata_not_yours')
  })

  test('is not limited by an expires_at that the client itself asked for', async () => {
    const { send, path, token, add, state, endsNow } = await createLimited([0])
    assert.equal((await add({ expires_at: NOW + 100, keep_others_until: NOW + 10 })).end, NOW + 100)
    assert.deepEqual(await endsNow(), [NOW + 10, NOW + 100])
    assert.equal((await send('DELETE', `${path}/secrets/0`, { token })).status, 204)
    assert.equal((await send('PUT', path, { token, body: { client_name: 'a' } })).status, 200)
    assert.equal((await send('PUT', path, { body: { client_name: 'b' } })).status, 200)
    state.now = NOW + 200
    assert.deepEqual([(await add()).end, (await add({ expires_at: END })).end], [0, END])
  })

  test('keeps the limit when the client shortens its secrets, renews its token, or is replaced without client_secrets', async () => {
    const { send, path, add, token, state } = await createLimited([END])
    assert.equal((await add({ expires_at: NOW + 5, keep_others_until: NOW + 5 })).end, NOW + 5)
    assert.equal((await send('PUT', path, { body: { client_name: 'a' } })).status, 200)
    assert.equal((await send('PUT', path, { token, body: { client_name: 'b' } })).status, 200)
    state.now = NOW + 10
    assert.equal((await add()).end, END)
  })
})

describe('a client whose secrets an operator has limited', () => {
  const CREDENTIALS: readonly [name: string, members: Record<string, unknown>][] = [
    ['jwks', { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [PUBLIC_JWK] } }],
    ['jwks_uri', { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'https://client.example/jwks.json' }],
    ...['subject_dn', 'san_dns', 'san_uri', 'san_ip', 'san_email'].map((name): [string, Record<string, unknown>] => [
      `tls_client_auth_${name}`,
      { token_endpoint_auth_method: 'tls_client_auth', [`tls_client_auth_${name}`]: CERTIFICATE_NAMES[name] },
    ]),
  ]
  for (const [name, members] of CREDENTIALS) {
    test(`does not give itself ${name}, which has no end`, async () => {
      const { send, path, token, endsNow } = await createLimited([END])
      const refused = await send('PUT', path, { token, body: members })
      assert.deepEqual([refused.status, refused.reason], [400, 'metadata_not_yours'])
      assert.equal(refused.answer['error_description'], `${name}: only an operator can change it.`)
      assert.deepEqual(await endsNow(), [END])
      assert.equal((await send('PUT', path, { body: members })).status, 200)
      assert.equal((await send('PUT', path, { token, body: members })).status, 200)
    })
  }

  test('does not start to use a key that it stored before its secrets were limited', async () => {
    const { send, path, token, set } = await createLimited([0])
    const members = { jwks: { keys: [PUBLIC_JWK] } }
    assert.equal((await send('PUT', path, { token, body: members })).status, 200)
    const limited = { ...members, client_secrets: [{ id: '0', hash, expires_at: END }] }
    assert.equal((await send('PUT', path, { body: limited })).status, 200)
    for (const method of ['private_key_jwt', 'self_signed_tls_client_auth', 'none']) {
      const refused = await send('PUT', path, { token, body: { ...members, token_endpoint_auth_method: method } })
      assert.deepEqual([refused.status, refused.reason], [400, 'metadata_not_yours'], method)
    }
    const changed = { ...members, token_endpoint_auth_method: 'client_secret_post' }
    assert.equal((await send('PUT', path, { token, body: changed })).status, 200)
    assert.equal((await set([0])).status, 200)
    const keyed = { ...members, token_endpoint_auth_method: 'private_key_jwt' }
    assert.equal((await send('PUT', path, { token, body: keyed })).status, 200)
  })

  test('may do so where no end was set', async () => {
    const [, members = {}] = CREDENTIALS[0] ?? []
    const { send, path, token } = await createLimited([0])
    assert.equal((await send('PUT', path, { token, body: members })).status, 200)
  })
})

describe('an operator', () => {
  test('is not limited, and can remove the limit', async () => {
    const { state, add } = await createLimited([END])
    assert.equal((await add()).end, END)
    state.now = END + 1
    assert.equal((await add()).status, 400)
    assert.equal((await add({ expires_at: END + 500 }, 'operator')).end, END + 500)
    assert.equal((await add()).end, END + 500)
    assert.equal((await add({}, 'operator')).end, 0)
    assert.equal((await add()).end, 0)
  })

  test('sets the limit with client_secrets, even for a client that had no secret', async () => {
    const { set, add } = await createLimited([0])
    assert.equal((await add()).end, 0)
    assert.equal((await set([END - 7])).status, 200)
    assert.equal((await add()).end, END - 7)
    assert.equal((await set([0])).status, 200)
    assert.equal((await add()).end, 0)
  })

  test('does not change the limit by deleting a secret, unless a sooner end of its own remains', async () => {
    const { send, path, add } = await createLimited([END - 5, END])
    assert.equal((await add()).end, END)
    for (const id of ['0', '1']) assert.equal((await send('DELETE', `${path}/secrets/${id}`)).status, 204)
    assert.equal((await add()).end, END)
    const other = await createLimited([END - 5, END])
    assert.equal((await other.add()).end, END)
    assert.equal((await other.send('DELETE', `${other.path}/secrets/1`)).status, 204)
    assert.equal((await other.add()).end, END - 5)
  })

  const OWN: readonly (readonly [name: string, asked: object | undefined])[] = [
    ['where the client has added none', undefined],
    ['where the client has added one without an end', {}],
    ['where the client has added one with a later end', { expires_at: END + 500 }],
    ['where the client has added one with a sooner end', { expires_at: END - 500 }],
    ['where the client has shortened the others', { keep_others_until: END + 500 }],
  ]
  for (const [name, asked] of OWN) {
    test(`limits by deleting the secret without an end when one with an end remains, ${name}`, async () => {
      const { send, path, token, add } = await createLimited([0])
      if (asked !== undefined) assert.equal((await add(asked)).status, 201)
      assert.equal((await add({ expires_at: END }, 'operator')).end, END)
      assert.equal((await send('DELETE', `${path}/secrets/0`)).status, 204)
      assert.deepEqual([(await add()).end, (await add({ expires_at: END + 9 })).end], [END, END])
      const { reason } = await send('PUT', path, { token, body: { jwks: { keys: [PUBLIC_JWK] } } })
      assert.equal(reason, 'metadata_not_yours')
    })
  }

  test('leaves a client without a limit when only secrets that the client added itself remain', async () => {
    const { send, path, add } = await createLimited([0])
    assert.equal((await add({ expires_at: NOW + 100 })).end, NOW + 100)
    assert.equal((await send('DELETE', `${path}/secrets/0`)).status, 204)
    assert.deepEqual([(await add()).end, (await add({ expires_at: END })).end], [0, END])
  })

  test('creates a secret that does not expire by a PUT of a client without secrets', async () => {
    const { send, path, token, state } = await createLimited([END])
    assert.equal((await send('DELETE', `${path}/secrets/0`, { token })).status, 204)
    state.now = END
    const { status, answer } = await send('PUT', path, { body: {} })
    assert.deepEqual([status, answer['client_secret_expires_at']], [200, 0])
    assert.equal((await send('POST', `${path}/secrets`, { token, body: {} })).answer['expires_at'], 0)
  })
})

describe('the limit', () => {
  test('is neither shown nor read from requests', async () => {
    const { send, path, token, add, registry, client_id } = await createLimited([END])
    assert.equal((await add()).end, END)
    assert.ok((await registry.get(clientKey(client_id)))?.includes(`"secret_limit_at":${END}`))
    for (const by of [{ token }, {}]) {
      const { answer } = await send('GET', path, by)
      assert.equal('secret_limit_at' in answer, false)
      assert.ok(!JSON.stringify(answer).includes('set_by_client'))
      const body = { client_name: 'a', secret_limit_at: 0 }
      const { status, answer: replaced } = await send('PUT', path, { ...by, body })
      assert.deepEqual([status, 'secret_limit_at' in replaced], [200, false])
    }
    assert.equal((await add()).end, END)
  })
})
