import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { OAuthError } from '../../src/errors.ts'
import type { Permit } from '../../src/permit.ts'
import { grantResources, signingAlgOf } from '../../src/policy/resource.ts'
import type { Reason } from '../../src/reasons.ts'
import type { Form, ResourceServer } from '../../src/types.ts'

const A = 'https://a.example'
const B = 'urn:example:b'
const GONE = 'urn:example:gone'
const OTHER = 'https://other.example'
/** An identifier for clients of other vendors that is not a URI. A resource server may be registered under it. */
const NAME = 'orders-api'

const servers: readonly ResourceServer[] = [A, B, OTHER, NAME].map((resource) => ({ resource }))
const permit: Permit = { subject: 'c', scope: [], defaultScope: [], resources: [A, B, NAME, GONE, `${A}/`] }

/** Calls grantResources with a form; `usual` is the default resource server. */
async function ask(resource: readonly string[], audience: readonly string[] = [], usual?: string) {
  const looked: string[] = []
  const find = async (id: string) => {
    looked.push(id)
    return servers.find((each) => each.resource === id)
  }
  const values: Readonly<Record<string, readonly string[]>> = { resource, audience }
  const form: Form = { get: (name) => values[name]?.[0] ?? null, getAll: (name) => values[name] ?? [] }
  const findDefault = async () => (usual === undefined ? undefined : find(usual))
  const granted = await grantResources(form, permit, { find, findDefault })
  return { granted: granted.map((each) => each.resource), looked }
}

describe('grantResources', () => {
  const granted: readonly [name: string, resource: string[], audience: string[], expected: string[]][] = [
    ['one', [A], [], [A]],
    ['two, in their order', [B, A], [], [B, A]],
    ['one twice', [A, A], [], [A]],
    ['an audience', [], [A], [A]],
    ['an audience that is no URI', [], [NAME], [NAME]],
    ['both, resources first', [B], [A], [B, A]],
    ['the same as both', [A, B], [B, A], [A, B]],
  ]
  for (const [name, resource, audience, expected] of granted) {
    test(`grants ${name}`, async () => {
      const { granted, looked } = await ask(resource, audience, OTHER)
      assert.deepEqual(granted, expected)
      assert.deepEqual(looked, expected, 'each is looked up once, and the default is not')
    })
  }

  const defaults: readonly [name: string, usual: string | undefined, expected: string[]][] = [
    ['none', undefined, []],
    ['one that the client may have', A, [A]],
    ['one that the client may not have', OTHER, []],
    ['one that is gone', GONE, []],
  ]
  for (const [name, usual, expected] of defaults) {
    test(`without a requested resource, when the default is ${name}`, async () => {
      assert.deepEqual((await ask([], [], usual)).granted, expected)
    })
  }

  const refused: readonly [name: string, resource: string[], audience: string[], reason: Reason][] = [
    ['one that is not allowed', [OTHER], [], 'resource_not_allowed'],
    ['one that is not allowed next to one that is', [A, OTHER], [], 'resource_not_allowed'],
    ['an audience that is not allowed', [], [OTHER], 'resource_not_allowed'],
    ['an audience that is not allowed next to a resource that is', [A], [OTHER], 'resource_not_allowed'],
    ['one that is gone', [GONE], [], 'resource_unknown'],
    ['an unknown one next to a registered one', [A, GONE], [], 'resource_unknown'],
    ['an audience that is gone', [], [GONE], 'resource_unknown'],
    ['one that was never registered', [`${A}/`], [], 'resource_unknown'],
    ['the default of others', ['https://A.example'], [], 'resource_not_allowed'],
    ['a name that is no URI', [NAME], [], 'resource_malformed'],
    ['a fragment', [`${A}#x`], [], 'resource_malformed'],
    ['a relative reference', ['/a'], [], 'resource_malformed'],
    ['dot segments', [`${A}/x/../y`], [], 'resource_malformed'],
    ['a malformed one next to one that is not allowed', [OTHER, 'a b'], [], 'resource_malformed'],
  ]
  for (const [name, resource, audience, reason] of refused) {
    test(`refuses ${name}`, async () => {
      await assert.rejects(ask(resource, audience, A), (error) => {
        assert.ok(error instanceof OAuthError)
        assert.deepEqual([error.status, error.code, error.reason], [400, 'invalid_target', reason])
        return true
      })
    })
  }

  test('an unknown resource and one that is not allowed get the same answer', async () => {
    const [one, two] = await Promise.all([[GONE], [OTHER]].map((each) => ask(each).catch((error: OAuthError) => error)))
    assert.ok(one instanceof OAuthError && two instanceof OAuthError)
    assert.deepEqual([one.message, one.status, one.code], [two.message, two.status, two.code])
  })
})

describe('signingAlgOf', () => {
  const server = (signing_alg?: string): ResourceServer => ({ resource: A, signing_alg })
  for (const [algs, expected] of [
    [[], undefined],
    [[undefined], undefined],
    [['ES256'], 'ES256'],
    [['ES256', 'ES256'], 'ES256'],
    [[undefined, 'ES256', undefined], 'ES256'],
  ] as const) {
    test(`of ${JSON.stringify(algs)}`, () => assert.equal(signingAlgOf(algs.map(server)), expected))
  }

  for (const algs of [
    ['ES256', 'RS256'],
    ['ES256', undefined, 'RS256'],
    ['ES256', 'ES256', 'RS256'],
  ]) {
    test(`refuses ${JSON.stringify(algs)}`, () => {
      assert.throws(
        () => signingAlgOf(algs.map(server)),
        (error) => error instanceof OAuthError && error.reason === 'resources_incompatible' && error.status === 400,
      )
    })
  }
})
