import assert from 'node:assert/strict'
import * as v from 'valibot'
import { describe, test } from '#test'
import { openRecords } from '../../src/records/open.ts'
import { parseRecord, toRecord } from '../../src/records/records.ts'
import {
  DEFAULT,
  DEFAULT_RESOURCE,
  RESOURCES,
  ResourceId,
  ResourceMembers,
  resourcesOf,
} from '../../src/resources/registry.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import { NOW } from '../support/world.ts'

const A = 'https://a.example'
const long = (length: number) => A.padEnd(length, '/x').replace(/\/$/, 'x')

describe('ResourceId', () => {
  const taken = [
    A,
    `${A}/`,
    `${A}/v1/orders?page=1&x=(2)`,
    `${A}:8443/~a/b;c,d@e:f!$&'*+=`,
    `${A}/a.b/..c/d../...`,
    `${A}/?q=a.b`,
    `${A}/%2F%41`,
    'http://a.example',
    'urn:example:a',
    'x:y',
    'tag:a.example,2026:b',
    'https://[2001:db8::1]/a',
    long(256),
  ]
  for (const id of taken) test(`takes ${id}`, () => assert.ok(v.is(ResourceId, id)))

  const characters = Array.from({ length: 0x81 }, (_, code) => String.fromCharCode(code))
  // RFC 3986 §2 without `#`, and with the percent of an escape.
  const legal = /[A-Za-z0-9\-._~:/?[\]@!$&'()*+,;=%]/
  test('accepts exactly the characters of RFC 3986', () => {
    for (const character of [...characters, 'é', '\u2217', '\u{1f511}']) {
      const id = `x:a${character}b`
      assert.equal(v.is(ResourceId, id), legal.test(character), JSON.stringify(character))
    }
  })

  const refused: readonly unknown[] = [
    ...[
      '',
      'a',
      '/a',
      '//a.example/b',
      'a.example/b',
      ':',
      '?x:y',
      'https://',
      'https://a.example:99999',
      'https://[::1',
    ],
    ...[`${A}#`, `${A}#x`, `${A}/a b`, ` ${A}`, `${A}\n`, `${A}\\b`],
    ...[`${A}/.`, `${A}/..`, `${A}/./a`, `${A}/../a`, `${A}/a/..?b`, `${A}/a/.?b`, `${A}/a/../b`, 'x:/..', '../a:b'],
    ...[`${A}/%2e`, `${A}/%2E/a`, `${A}/%2e%2E/a`, `${A}/a%2eb`],
    ...[long(257), 7, null, undefined, [A], { href: A }],
  ]
  for (const id of refused) test(`refuses ${JSON.stringify(id)}`, () => assert.ok(!v.is(ResourceId, id)))
})

describe('the record of a resource server', () => {
  const members: readonly (readonly [name: string, value: unknown, isTaken: boolean])[] = [
    ['scope', '', true],
    ['scope', 'read users.* \x21\x5b\x5d\x7e', true],
    ['scope', 'x'.repeat(8192), true],
    ['scope', 'x'.repeat(8193), false],
    ...['a"b', 'a\\b', 'a\tb', 'a\nb', 'é', '\x7f', '\x1f'].map((scope) => ['scope', scope, false] as const),
    ['scope', ['read'], false],
    ['scope', null, false],
    ['access_token_lifetime', 1, true],
    ['access_token_lifetime', 86_400, true],
    ...[0, -1, 1.5, '60', null].map((seconds) => ['access_token_lifetime', seconds, false] as const),
    ['signing_alg', 'ES256', true],
    ['signing_alg', 7, false],
    ['resource', 'a', false],
    ['resource', undefined, false],
  ]
  for (const [name, value, isTaken] of members) {
    const shown = JSON.stringify(value) ?? 'absent'
    test(`${name} ${shown.slice(0, 20)} of ${shown.length} is ${isTaken ? 'accepted' : 'refused'}`, () => {
      const record = { resource: A, [name]: value }
      for (const schema of [RESOURCES.schema, ResourceMembers]) assert.equal(v.is(schema, record), isTaken)
      if (isTaken) assert.deepEqual(v.parse(RESOURCES.schema, { ...record, note: 'x', default: true }), record)
    })
  }

  for (const [value, isTaken] of [
    [true, true],
    [false, true],
    ['true', false],
    [1, false],
    [null, false],
  ] as const) {
    test(`an operator's default ${JSON.stringify(value)} is ${isTaken ? 'accepted' : 'refused'}`, () => {
      assert.equal(v.is(ResourceMembers, { resource: A, default: value }), isTaken)
    })
  }

  test('holds the identifier of its key', () => {
    assert.deepEqual([RESOURCES.prefix, RESOURCES.idOf({ resource: A })], ['resource', A])
    assert.throws(() => parseRecord(JSON.stringify({ schema: 1, resource: `${A}/` }), A, RESOURCES))
  })

  test('the record of the default names a resource server, under its only id', () => {
    const record = JSON.stringify({ schema: 1, resource: A })
    assert.deepEqual(parseRecord(record, DEFAULT, DEFAULT_RESOURCE), { resource: A })
    assert.deepEqual([DEFAULT_RESOURCE.prefix, DEFAULT], ['resource-role', 'default'])
    assert.throws(() => parseRecord(record, A, DEFAULT_RESOURCE))
    assert.throws(() => parseRecord(JSON.stringify({ schema: 1, resource: 'a' }), DEFAULT, DEFAULT_RESOURCE))
  })
})

describe('resourcesOf', () => {
  const holders: readonly [name: string, role: string | undefined, expected?: string][] = [
    ['a resource server that is there', A, A],
    ['one that is gone', 'urn:gone'],
    ['none', undefined],
  ]
  for (const [name, role, expected] of holders) {
    test(`the default is ${name}`, async () => {
      const { registry } = memoryStores(() => NOW)
      await registry.put(`resource:${A}`, toRecord({ resource: A }))
      if (role !== undefined) await registry.put('resource-role:default', toRecord({ resource: role }))
      const resources = resourcesOf(openRecords(registry, { freshSeconds: 30, emit: () => undefined, now: () => NOW }))
      assert.equal((await resources.findDefault())?.resource, expected)
      assert.equal((await resources.find(A))?.resource, A)
    })
  }
})
