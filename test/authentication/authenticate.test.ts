import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { authentication } from '../../src/authentication/authenticate.ts'
import { privateKeyJwt } from '../../src/authentication/private_key_jwt.ts'
import { OAuthError } from '../../src/errors.ts'
import type { ClientAuth } from '../../src/features.ts'
import type { ClientReason } from '../../src/reasons.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import type { Client } from '../../src/types.ts'
import { ISSUER, NOW } from '../support/world.ts'

const context = { issuer: ISSUER, tokenEndpoint: `${ISSUER}/token`, now: NOW }

interface Asking {
  /** What the first look-up finds, and the one after a failure. */
  readonly records: readonly [Client | undefined, (Client | undefined)?]
  readonly form?: Record<string, string>
  readonly methods?: readonly ClientAuth[]
  /** Methods that read the subject token. */
  readonly ofGrant?: readonly ClientAuth[]
}

/** A method that takes a client whose `scope` is the parameter of its own name. */
function methodOf(method: string, reads: ClientAuth['reads']): ClientAuth {
  return {
    method,
    reads,
    read: ({ form }) => {
      const proof = form.get(method)
      if (proof === null) return undefined
      const verify = async ({ scope }: Client): Promise<ClientReason | undefined> =>
        scope === proof ? undefined : 'secret_wrong'
      return { client_id: form.get('of') ?? form.get('client_id') ?? '', verify }
    },
  }
}
const METHODS = [
  methodOf('client_secret_basic', 'header'),
  methodOf('client_secret_post', 'secret'),
  methodOf('private_key_jwt', 'assertion'),
  methodOf('tls_client_auth', 'connection'),
]

async function ask({ records, form = {}, methods = METHODS, ofGrant }: Asking) {
  const asked: unknown[] = []
  const [first, renewed] = records
  const findClient = async (id: string, options?: { readonly refresh: boolean }) => {
    asked.push([id, options?.refresh ?? false])
    return options?.refresh ? renewed : first
  }
  const all = { client_id: 'a', ...form }
  const body = {
    get: (name: string) => (Object.hasOwn(all, name) ? (all[name as keyof typeof all] ?? null) : null),
    getAll: () => [],
  }
  try {
    const { client, credentials } = await authentication(methods, findClient).authenticate(
      { headers: new Headers(), form: body },
      context,
      ofGrant,
    )
    return { client, credentials, asked }
  } catch (error) {
    assert.ok(error instanceof OAuthError)
    return { reason: error.reason, status: error.status, clientId: error.clientId, asked }
  }
}

const client = (more: Partial<Client> = {}): Client => ({ client_id: 'a', scope: 'good', ...more })

describe('authenticate', () => {
  test('returns the record that was found, and asks for it once', async () => {
    const record = client()
    const { client: found, asked } = await ask({ records: [record], form: { client_secret_post: 'good' } })
    assert.equal(found, record)
    assert.deepEqual(asked, [['a', false]])
  })

  test('after a failure reads the record again and returns the newer one', async () => {
    const renewed = client({ scope: 'new' })
    const { client: found, asked } = await ask({ records: [client(), renewed], form: { client_secret_post: 'new' } })
    assert.equal(found, renewed)
    assert.deepEqual(asked, [
      ['a', false],
      ['a', true],
    ])
  })

  const failures: readonly [name: string, records: Asking['records'], reason: ClientReason][] = [
    ['the same record', [client(), client()], 'secret_wrong'],
    ['no newer record', [client(), undefined], 'secret_wrong'],
    ['another record that does not help', [client(), client({ scope: 'other' })], 'secret_wrong'],
    ['a record that was disabled', [client(), client({ disabled: true })], 'client_disabled'],
    [
      'a record of another method',
      [client(), client({ token_endpoint_auth_method: 'private_key_jwt' })],
      'auth_method_mismatch',
    ],
  ]
  for (const [name, records, reason] of failures) {
    test(`fails where the second reading gives ${name}`, async () => {
      const answer = await ask({ records, form: { client_secret_post: 'new' } })
      assert.deepEqual([answer.reason, answer.status, answer.clientId], [reason, 401, 'a'])
    })
  }

  test('lets in a client that was enabled, or got the method, since it was read', async () => {
    for (const before of [{ disabled: true }, { token_endpoint_auth_method: 'private_key_jwt' }]) {
      const renewed = client()
      const { client: found } = await ask({ records: [client(before), renewed], form: { client_secret_post: 'good' } })
      assert.equal(found, renewed)
    }
  })

  test('an unknown client is read once', async () => {
    const { reason, clientId, asked } = await ask({
      records: [undefined, client()],
      form: { client_secret_post: 'good' },
    })
    assert.deepEqual([reason, clientId, asked], ['client_unknown', 'a', [['a', false]]])
  })

  test('an id that cannot be one is not looked up', async () => {
    for (const [id, reason] of [
      ['', 'credentials_missing'],
      ['ü', 'client_id_malformed'],
      ['a\n', 'client_id_malformed'],
      ['x'.repeat(257), 'client_id_malformed'],
    ]) {
      const answer = await ask({ records: [client()], form: { client_id: id ?? '', client_secret_post: 'good' } })
      assert.deepEqual([answer.reason, answer.asked], [reason, []])
    }
  })

  test('only what the client is registered for counts; by default both ways to send a secret', async () => {
    const methods = ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'tls_client_auth']
    for (const registered of [undefined, 'none', ...methods, '__proto__', 'constructor']) {
      for (const used of methods) {
        const record = client(registered === undefined ? {} : { token_endpoint_auth_method: registered })
        const { reason } = await ask({ records: [record, record], form: { [used]: 'good' } })
        const isAllowed = registered === used || (registered === undefined && used.startsWith('client_secret_'))
        // A certificate is of the connection, so a public client is still taken by its word.
        const isPublic = registered === 'none' && used === 'tls_client_auth'
        assert.equal(reason, isAllowed || isPublic ? undefined : 'auth_method_mismatch', `${registered} ${used}`)
      }
    }
  })

  test('a request without credentials is that of a public client, whatever the connection shows', async () => {
    const record = client({ token_endpoint_auth_method: 'none' })
    assert.equal((await ask({ records: [record] })).client, record)
    assert.equal((await ask({ records: [record], form: { tls_client_auth: 'bad' } })).client, record)
    for (const other of [client(), client({ token_endpoint_auth_method: 'client_secret_basic' })]) {
      assert.equal((await ask({ records: [other, other] })).reason, 'auth_method_mismatch')
    }
  })

  test('two methods in a request are invalid_request; a certificate beside one is not a second', async () => {
    const two = await ask({ records: [client()], form: { client_secret_basic: 'good', client_secret_post: 'good' } })
    assert.deepEqual([two.reason, two.status, two.asked], ['credentials_several', 400, []])
    const beside = await ask({ records: [client()], form: { client_secret_basic: 'good', tls_client_auth: 'bad' } })
    assert.equal(beside.client?.client_id, 'a')
    const registered = client({ token_endpoint_auth_method: 'tls_client_auth' })
    const secret = await ask({
      records: [registered, registered],
      form: { client_secret_basic: 'good', tls_client_auth: 'good' },
    })
    assert.equal(secret.reason, 'auth_method_mismatch')
  })

  test('a client_id in the form has to be that of the credentials, or be left out', async () => {
    const form = { of: 'a', private_key_jwt: 'good' }
    const record = client({ token_endpoint_auth_method: 'private_key_jwt' })
    assert.equal((await ask({ records: [record], form: { ...form, client_id: '' } })).client, record)
    const other = await ask({ records: [record], form: { ...form, client_id: 'b' } })
    assert.deepEqual([other.reason, other.status, other.asked], ['client_id_mismatch', 400, []])
  })
})

describe('a subject token', () => {
  const exchanged: ClientAuth = {
    method: 'federated_jwt',
    reads: 'subject_token',
    read: ({ form }) => {
      const token = form.get('subject_token')
      if (token === null) return undefined
      const verify = async (): Promise<ClientReason | undefined> =>
        token === 'good' ? undefined : 'federation_no_rule'
      return { client_id: form.get('sub') ?? '', verify }
    },
  }
  const ofGrant = [exchanged]
  /** A header of the name alone. */
  const named: ClientAuth = {
    method: 'client_secret_basic',
    reads: 'header',
    read: ({ form }) => {
      const client_id = form.get('name')
      return client_id === null ? undefined : { client_id, isNameOnly: true, verify: async () => 'secret_missing' }
    },
  }
  const methods = [...METHODS.slice(1), named]
  const federated = client({ token_endpoint_auth_method: 'federated_jwt' })
  const records = [federated, federated] as const

  test('authenticates only where the grant reads it', async () => {
    const form = { subject_token: 'good' }
    const { client: found, credentials } = await ask({ records, form, ofGrant })
    assert.deepEqual([found, credentials], [federated, 'subject_token'])
    assert.equal((await ask({ records, form: { subject_token: 'bad' }, ofGrant })).reason, 'federation_no_rule')
    assert.equal((await ask({ records, form })).reason, 'auth_method_mismatch')
  })

  test('names the client where nothing else does', async () => {
    const form = { client_id: '', subject_token: 'good' }
    assert.deepEqual((await ask({ records, form: { ...form, sub: 'b' }, ofGrant })).asked, [['b', false]])
    assert.equal((await ask({ records, form, ofGrant })).reason, 'credentials_missing')
    const basic = await ask({ records, methods, form: { ...form, sub: 'b', name: 'a' }, ofGrant })
    assert.deepEqual([basic.credentials, basic.asked], ['subject_token', [['a', false]]])
    const other = await ask({ records, methods, form: { ...form, client_id: 'b', name: 'a' }, ofGrant })
    assert.deepEqual([other.reason, other.asked], ['client_id_mismatch', []])
  })

  test('leaves a name alone to its own method where there is none', async () => {
    const basic = client({ token_endpoint_auth_method: 'client_secret_basic' })
    const { reason } = await ask({ records: [basic, basic], methods, form: { name: 'a' }, ofGrant })
    assert.equal(reason, 'secret_missing')
  })

  test('does not count next to other credentials of the request; next to a certificate the client decides', async () => {
    for (const [method, kind] of [
      ['client_secret_post', 'secret'],
      ['private_key_jwt', 'assertion'],
      ['tls_client_auth', 'connection'],
    ] as const) {
      const form = { [method]: 'good', subject_token: 'good' }
      const registered = client({ token_endpoint_auth_method: method })
      assert.equal((await ask({ records: [registered], form, ofGrant })).credentials, kind)
      const { reason, credentials } = await ask({ records, form, ofGrant })
      if (kind === 'connection') assert.equal(credentials, 'subject_token')
      else assert.equal(reason, 'auth_method_mismatch')
    }
    const form = { name: 'a', private_key_jwt: 'good', subject_token: 'good' }
    assert.equal((await ask({ records, methods, form, ofGrant })).reason, 'credentials_several')
  })
})

describe('two methods that read one kind of credentials', () => {
  /** A method that finds its client_id in a parameter of its own. */
  const reading = (method: string, parameter: string): ClientAuth => ({
    method,
    reads: 'assertion',
    read({ form }) {
      const proof = form.get('proof')
      if (proof === null) return undefined
      return {
        client_id: form.get(parameter) ?? '',
        verify: async () => (proof === method ? undefined : 'assertion_signature_wrong'),
      }
    },
  })
  const methods = [reading('first', 'client_id'), reading('second', 'named'), methodOf('client_secret_post', 'secret')]
  const of = (token_endpoint_auth_method: string) => client({ token_endpoint_auth_method })

  test('the method that the client is registered for decides', async () => {
    const both = { client_id: 'a', named: 'a' }
    for (const method of ['first', 'second']) {
      const right = await ask({ records: [of(method)], methods, form: { ...both, proof: method } })
      assert.equal(right.client?.token_endpoint_auth_method, method)
      const wrong = await ask({ records: [of(method), of(method)], methods, form: { ...both, proof: 'other' } })
      assert.equal(wrong.reason, 'assertion_signature_wrong')
    }
    const other = await ask({ records: [of('third'), of('third')], methods, form: { ...both, proof: 'first' } })
    assert.equal(other.reason, 'auth_method_mismatch')
  })

  test('a method whose credentials name another client than the form is left out', async () => {
    const form = { client_id: 'a', named: 'b', proof: 'second' }
    const { reason } = await ask({ records: [of('second'), of('second')], methods, form })
    assert.equal(reason, 'auth_method_mismatch')
  })

  test('credentials of another kind are one too many', async () => {
    const form = { client_id: 'a', named: 'a', proof: 'first', client_secret_post: 'good' }
    assert.equal((await ask({ records: [of('first')], methods, form })).reason, 'credentials_several')
  })

  test('a method may have an assertion type of its own beside private_key_jwt; a type of neither is refused', async () => {
    const own: ClientAuth = {
      method: 'own',
      reads: 'assertion',
      read: ({ form }) =>
        form.get('client_assertion_type') === 'urn:own' ? { client_id: 'a', verify: async () => undefined } : undefined,
    }
    const remoteKeys = () => Promise.reject(new Error('no network'))
    const methods = [privateKeyJwt({ ledger: memoryStores(() => NOW).ledger, remoteKeys }), own]
    const present = (form: Record<string, string>) => ask({ records: [of('own')], methods, form })
    assert.equal((await present({ client_assertion_type: 'urn:own' })).client?.client_id, 'a')
    for (const form of [{ client_assertion_type: 'urn:other', client_assertion: 'x' }, { client_assertion: 'x' }]) {
      assert.equal((await present({ client_id: 'a', ...form })).reason, 'assertion_type_unknown')
    }
  })
})
