import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { GIVEN } from '../../src/clients/members.ts'
import { hashToken } from '../../src/secrets/hashes.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import { createWorld, ISSUER, NOW } from '../support/world.ts'

const TOKEN = 'operator-token-operator-token-op'
const LONG = 'x'.repeat(9000)
const ODD: readonly unknown[] = [
  ...[null, true, 5, -1, 0.5, 1e300, '', '\u0000', '"', LONG, 'undefined'],
  ...[[], {}, [null], [5], [''], ['\u0000'], [LONG], [[]], [{}], [[[5]]], Array(500).fill('a'), Array(500).fill({})],
  ...[{ '': null }, { keys: null }, { keys: {} }, { keys: [] }, { keys: [5] }, { keys: [[]] }, { a: { b: { c: 5 } } }],
]
/** Members of the items of a list, each with every odd value. */
const itemsOf = (item: Record<string, unknown>) =>
  Object.keys(item).flatMap((name) => ODD.map((odd) => [{ ...item, [name]: odd }]))

const world = createWorld({
  registry: memoryStores(() => NOW).registry,
  ledger: memoryStores(() => NOW).ledger,
  operatorTokenHash: await hashToken(TOKEN),
})

/** Sends a body as the operator. Returns the description of the refusal, undefined if the body is accepted. */
async function problemOf(method: string, path: string, body: object): Promise<string | undefined> {
  const { app } = await world
  const headers = { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' }
  const response = await app.request(`${ISSUER}${path}`, { method, headers, body: JSON.stringify(body) })
  if (response.ok) return undefined
  const text = await response.text()
  assert.equal(response.status, 400, `${JSON.stringify(body)} ${text}`)
  return JSON.parse(text).error_description
}

const RESOURCE = `/resources/${encodeURIComponent('https://rs.example')}`

describe('an odd value is refused in a sentence that begins with the name of the member', () => {
  const cases: readonly (readonly [method: string, path: string, member: string, odd?: readonly unknown[]])[] = [
    ...[...Object.keys(GIVEN), 'response_types'].map((member) => ['PUT', '/register/odd', member] as const),
    ['PUT', '/register/odd', 'client_secrets'],
    [
      'PUT',
      '/register/odd',
      'client_secrets',
      itemsOf({ id: 'a', label: 'a', created_at: 1, expires_at: 1, hash: '' }),
    ],
    ...['label', 'expires_at', 'keep_others_until'].map(
      (member) => ['POST', '/register/kept/secrets', member] as const,
    ),
    ...['scope', 'access_token_lifetime', 'signing_alg', 'default'].map((member) => ['PUT', RESOURCE, member] as const),
    ...['client_id', 'before'].map((member) => ['POST', '/revocations', member] as const),
  ]
  for (const [method, path, member, odd = ODD] of cases) {
    test(`${method} ${path.split('/')[1]}, ${member}${odd === ODD ? '' : ', its items'}`, async () => {
      await problemOf('PUT', '/register/kept', {})
      const problems = await Promise.all(odd.map((value) => problemOf(method, path, { [member]: value })))
      const told = problems.filter((problem) => problem !== undefined)
      assert.notEqual(told.length, 0)
      for (const problem of told) {
        assert.match(problem, new RegExp(`^${member}(\\.\\w+)*: [a-z].*\\.$`))
        assert.doesNotMatch(problem, /Invalid|Expected|[Rr]eceived/)
      }
    })
  }

  test('a member that is missing is named', async () => {
    assert.equal(await problemOf('PUT', '/register/odd', { client_secrets: [{}] }), 'client_secrets.0.id: is missing.')
    assert.equal(
      await problemOf('PUT', '/register/odd', { client_secrets: [5] }),
      'client_secrets.0: must be an object.',
    )
  })
})
