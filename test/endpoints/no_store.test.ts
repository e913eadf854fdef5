/** Answers must not be cached, and must not contain a hash or the secret of another answer. */

import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { securityHeaders } from '../../src/http/respond.ts'
import { hashToken } from '../../src/secrets/hashes.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import { textOf } from '../support/body.ts'
import { createWorld, ISSUER, NOW } from '../support/world.ts'

const OPERATOR = 'operator-token-operator-token-op'
const HASH = '$2b$10$U1iBZxDfVh5rEHwxhvXTCOGfkAmXAS5mPq/hcaHaPjzl0dvab7j1K'
const RS = `/resources/${encodeURIComponent('https://rs.example')}`

const me = { client_id: 'test-client', client_secret: 'foobar' }
const grant = { grant_type: 'client_credentials', ...me }
const json = { 'Content-Type': 'application/json' }
const operator = { Authorization: `Bearer ${OPERATOR}`, ...json }
const wrong = { Authorization: `Bearer ${'w'.repeat(32)}`, ...json }

interface Step {
  readonly name: string
  readonly send: readonly [
    method: string,
    path: string,
    body?: object | undefined,
    headers?: Readonly<Record<string, string>>,
  ]
  readonly status: number
  /** The secret members of the answer that no earlier answer contained. */
  readonly creates?: readonly string[]
}

/** The requests, in this order. `{token}`, `{id}`, `{secret_id}` and `{own}` are replaced by values of earlier answers. */
const STEPS: readonly Step[] = [
  { name: 'token', send: ['POST', '/token', grant], status: 200, creates: ['access_token'] },
  { name: 'token, wrong secret', send: ['POST', '/token', { ...grant, client_secret: 'x' }], status: 401 },
  { name: 'token, no scope', send: ['POST', '/token', { ...grant, scope: 'admin' }], status: 400 },
  { name: 'token, malformed record', send: ['POST', '/token', { ...grant, client_id: 'cc-broken' }], status: 503 },
  { name: 'token, too large', send: ['POST', '/token', { x: 'x'.repeat(65536) }], status: 413 },
  { name: 'token, compressed', send: ['POST', '/token', grant, { 'Content-Encoding': 'gzip' }], status: 415 },
  { name: 'token, GET', send: ['GET', '/token'], status: 405 },
  { name: 'authorize', send: ['GET', '/authorize'], status: 400 },
  { name: 'introspect', send: ['POST', '/introspect', { token: '{token}', ...me }], status: 200 },
  {
    name: 'introspect, signed',
    send: ['POST', '/introspect', { token: '{token}', ...me }, { Accept: 'application/token-introspection+jwt' }],
    status: 200,
  },
  { name: 'introspect, no credentials', send: ['POST', '/introspect', { token: '{token}' }], status: 401 },
  { name: 'introspect, wrong bearer', send: ['POST', '/introspect', { token: '{token}' }, wrong], status: 401 },
  { name: 'revoke', send: ['POST', '/revoke', { token: '{token}', ...me }], status: 200 },
  { name: 'revoke, no credentials', send: ['POST', '/revoke', { token: '{token}' }], status: 401 },
  {
    name: 'register',
    send: ['POST', '/register', { client_name: 'a' }, operator],
    status: 201,
    creates: ['client_secret', 'registration_access_token'],
  },
  { name: 'register, wrong token', send: ['POST', '/register', {}, wrong], status: 401 },
  { name: 'register, malformed', send: ['POST', '/register', { scope: 1 }, operator], status: 400 },
  { name: 'list', send: ['GET', '/register', undefined, operator], status: 200 },
  { name: 'list, malformed', send: ['GET', '/register?limit=x', undefined, operator], status: 400 },
  { name: 'list, no credentials', send: ['GET', '/register'], status: 401 },
  { name: 'read', send: ['GET', '/register/{id}', undefined, operator], status: 200 },
  { name: 'read, by itself', send: ['GET', '/register/{id}', undefined, { Authorization: '{own}' }], status: 200 },
  { name: 'read, not there', send: ['GET', '/register/none', undefined, operator], status: 404 },
  { name: 'read, malformed record', send: ['GET', '/register/cc-broken', undefined, operator], status: 503 },
  { name: 'replace', send: ['PUT', '/register/{id}', { client_name: 'b' }, operator], status: 200 },
  {
    name: 'create by PUT',
    send: ['PUT', '/register/put', { client_secrets: [{ id: '1', hash: HASH }] }, operator],
    status: 201,
  },
  {
    name: 'replace, a hash that is none',
    send: ['PUT', '/register/put', { client_secrets: [{ id: '1', hash: `${HASH}x` }] }, operator],
    status: 400,
  },
  {
    name: 'replace, overtaken',
    send: ['PUT', '/register/{id}', {}, { ...operator, 'If-Match': '"other"' }],
    status: 412,
  },
  {
    name: 'add a secret',
    send: ['POST', '/register/{id}/secrets', {}, operator],
    status: 201,
    creates: ['client_secret'],
  },
  { name: 'add a secret, malformed', send: ['POST', '/register/{id}/secrets', { label: 1 }, operator], status: 400 },
  { name: 'end a secret', send: ['DELETE', '/register/{id}/secrets/{secret_id}', undefined, operator], status: 204 },
  {
    name: 'end a secret again',
    send: ['DELETE', '/register/{id}/secrets/{secret_id}', undefined, operator],
    status: 404,
  },
  {
    name: 'renew the token',
    send: ['POST', '/register/{id}/registration_access_token', undefined, operator],
    status: 200,
    creates: ['registration_access_token'],
  },
  { name: 'cut', send: ['POST', '/revocations', { client_id: '{id}' }, operator], status: 200 },
  { name: 'cut, malformed', send: ['POST', '/revocations', { before: 'x' }, operator], status: 400 },
  { name: 'delete', send: ['DELETE', '/register/{id}', undefined, operator], status: 204 },
  { name: 'delete, no credentials', send: ['DELETE', '/register/put'], status: 401 },
  { name: 'resources', send: ['GET', '/resources', undefined, operator], status: 200 },
  { name: 'resources, wrong token', send: ['GET', '/resources', undefined, wrong], status: 401 },
  { name: 'a resource', send: ['GET', RS, undefined, operator], status: 200 },
  { name: 'a resource, not there', send: ['GET', '/resources/urn%3Ano', undefined, operator], status: 404 },
  { name: 'a resource made', send: ['PUT', '/resources/urn%3Anew', {}, operator], status: 201 },
  { name: 'a resource replaced', send: ['PUT', '/resources/urn%3Anew', {}, operator], status: 200 },
  { name: 'a resource, malformed', send: ['PUT', '/resources/urn%3Anew', { scope: 1 }, operator], status: 400 },
  { name: 'a resource deleted', send: ['DELETE', '/resources/urn%3Anew', undefined, operator], status: 204 },
]

interface Answered extends Step {
  readonly response: Response
  readonly text: string
}

async function run() {
  const { app, events } = await createWorld({
    ledger: memoryStores(() => NOW).ledger,
    operatorTokenHash: await hashToken(OPERATOR),
  })
  const said = new Map<string, string>()
  const fill = (text: string) => text.replace(/\{(\w+)\}/g, (whole, name: string) => said.get(name) ?? whole)
  const answers: Answered[] = []
  for (const step of STEPS) {
    const [method, path, body, headers = {}] = step.send
    const isForm = headers['Content-Type'] === undefined || path === '/introspect'
    const form = () =>
      new URLSearchParams(Object.entries(body ?? {}).map(([name, value]) => [name, fill(String(value))]))
    const response = await app.request(ISSUER + fill(path), {
      method,
      headers: {
        ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, fill(value)])),
        ...(isForm && body && { 'Content-Type': 'application/x-www-form-urlencoded' }),
      },
      ...(body && { body: isForm ? form().toString() : fill(JSON.stringify(body)) }),
    })
    const text = await textOf(response)
    const answer = (text.startsWith('{') ? JSON.parse(text) : {}) as Record<string, string>
    if (step.name === 'token') said.set('token', answer['access_token'] ?? '')
    if (step.name === 'register') said.set('id', answer['client_id'] ?? '')
    if (step.name === 'register') said.set('own', `Bearer ${answer['registration_access_token']}`)
    if (step.name === 'add a secret') said.set('secret_id', answer['id'] ?? '')
    answers.push({ ...step, response, text })
  }
  return { answers, events }
}

const ran = run()
const SECRET_MEMBERS = ['access_token', 'client_secret', 'registration_access_token']

describe('an answer with a token, a secret or an error', () => {
  for (const [index, { name, status }] of STEPS.entries()) {
    test(`must not be cached: ${name}, ${status}`, async () => {
      const { response } = (await ran).answers[index] ?? {}
      assert.equal(response?.status, status)
      assert.equal(response.headers.get('Cache-Control'), 'no-store')
    })
  }
})

describe('an answer of each kind', () => {
  test('has the security headers', async () => {
    for (const { name, response } of (await ran).answers) {
      for (const [header, value] of Object.entries(securityHeaders))
        assert.equal(response.headers.get(header), value, name)
    }
  })
})

describe('no answer', () => {
  test("contains a hash or the operator's token", async () => {
    for (const { name, response, text } of (await ran).answers) {
      const shown = text + JSON.stringify([...response.headers])
      for (const secret of ['$2b$04$', '$2b$10$', '$2a$04$', '$sha256$', '$pbkdf2', '_hash', OPERATOR, 'foobar']) {
        assert.ok(!shown.includes(secret), `${name} shows ${secret}`)
      }
    }
  })

  test('contains a secret other than the one it created, or the one the caller presented', async () => {
    for (const { name, text, creates = [] } of (await ran).answers) {
      const answer = (text.startsWith('{') ? JSON.parse(text) : {}) as Record<string, unknown>
      const shown = SECRET_MEMBERS.filter((member) => member in answer)
      assert.deepEqual(shown, name === 'read, by itself' ? ['registration_access_token'] : creates, name)
    }
  })

  test('and no event repeats a secret of another answer', async () => {
    const { answers, events } = await ran
    const secrets = answers.flatMap(({ text, creates = [] }) =>
      creates.map((member) => String((JSON.parse(text) as Record<string, unknown>)[member])),
    )
    assert.equal(secrets.length, 5)
    const shown = answers.filter(({ name }) => name !== 'read, by itself').map(({ text }) => text)
    for (const secret of secrets) {
      assert.equal(shown.filter((text) => text.includes(secret)).length, 1)
      assert.ok(!JSON.stringify(events).includes(secret))
    }
    assert.ok(!JSON.stringify(events).includes(OPERATOR))
  })
})
