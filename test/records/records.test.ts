import assert from 'node:assert/strict'
import * as v from 'valibot'
import { describe, test } from '#test'
import { CLIENTS } from '../../src/clients/registry.ts'
import { OAuthError } from '../../src/errors.ts'
import { causeText } from '../../src/lib/cause.ts'
import { keyOf, parseRecord, type RecordKind, readRecords, toRecord } from '../../src/records/records.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import { guarded, NOW } from '../support/world.ts'

const open = () => memoryStores(() => NOW).registry

const KIND: RecordKind<{ id: string; hash?: string | undefined }> = {
  prefix: 'kind',
  schema: v.object({ id: v.string(), hash: v.optional(v.string()) }),
  idOf: ({ id }) => id,
}

describe('readRecords', () => {
  test('returns undefined for an unknown record', async () => {
    assert.equal(await readRecords(open(), CLIENTS)('nobody'), undefined)
  })

  test('reads what toRecord wrote, without unknown members', async () => {
    const registry = open()
    await registry.put(keyOf(KIND, 'a:b'), toRecord({ id: 'a:b', hash: 'x', later: 1 }))
    assert.equal(await registry.get('kind:a:b'), '{"schema":1,"id":"a:b","hash":"x","later":1}')
    assert.deepEqual(await readRecords(registry, KIND)('a:b'), { id: 'a:b', hash: 'x' })
  })

  test('reads each time', async () => {
    const registry = open()
    const find = readRecords(registry, KIND)
    assert.equal(await find('a'), undefined)
    await registry.put('kind:a', toRecord({ id: 'a' }))
    assert.deepEqual(await find('a'), { id: 'a' })
  })

  test('a failing store is not a missing record', async () => {
    const cause = new Error('no route')
    const { registry } = guarded({ registry: { ...open(), get: () => Promise.reject(cause) } })
    const find = readRecords(registry, KIND)
    await assert.rejects(find('a'), (error) => {
      assert.ok(error instanceof OAuthError)
      assert.deepEqual([error.status, error.reason, error.cause], [503, 'store_failed', cause])
      return true
    })
  })

  test('names the invalid members, never their values', async () => {
    const registry = open()
    await registry.put(
      'client:c',
      '{"schema":1,"client_id":"c","client_secrets":[{"id":"1","hash":7}],"scope":["$2b$secret"]}',
    )
    await assert.rejects(readRecords(registry, CLIENTS)('c'), (error) => {
      assert.ok(error instanceof OAuthError)
      assert.equal(error.reason, 'record_malformed')
      assert.equal(error.cause, 'invalid members: client_secrets.0.hash, scope')
      return true
    })
  })
})

describe('parseRecord', () => {
  const secret = '$2b$10$hush'
  const refused: readonly [name: string, text: string, cause: string][] = [
    ['what is no JSON', secret, 'not a record of its kind'],
    ['a record that is cut off', `{"schema":1,"id":"a","hash":"${secret}`, 'not a record of its kind'],
    ['nothing', '', 'not a record of its kind'],
    ['a text', `"${secret}"`, 'invalid members: the whole record'],
    ['a list', `["${secret}"]`, 'invalid members: schema'],
    ['null', 'null', 'invalid members: the whole record'],
    ['no version', `{"id":"a","hash":"${secret}"}`, 'invalid members: schema'],
    ['the version to come', `{"schema":2,"id":"a","hash":"${secret}"}`, 'invalid members: schema'],
    ['the version as a text', `{"schema":"1","id":"a","hash":"${secret}"}`, 'invalid members: schema'],
    ['another id', `{"schema":1,"id":"b","hash":"${secret}"}`, 'not a record of its kind'],
    ['the id in another case', `{"schema":1,"id":"A","hash":"${secret}"}`, 'not a record of its kind'],
    ['no id', `{"schema":1,"hash":"${secret}"}`, 'invalid members: id'],
    ['a member of another type', `{"schema":1,"id":"a","hash":["${secret}"]}`, 'invalid members: hash'],
    ['two members of other types', `{"schema":1,"id":1,"hash":["${secret}"]}`, 'invalid members: id, hash'],
  ]
  for (const [name, text, cause] of refused) {
    test(`refuses ${name} and quotes nothing of it`, () => {
      assert.throws(
        () => parseRecord(text, 'a', KIND),
        (error) => {
          assert.ok(error instanceof OAuthError)
          assert.deepEqual([error.status, error.reason, error.cause], [503, 'record_malformed', cause])
          assert.ok(!causeText(error).includes('hush'))
          return true
        },
      )
    })
  }
})
