import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { CLIENTS } from '../../src/clients/registry.ts'
import { OAuthError } from '../../src/errors.ts'
import { readRecords } from '../../src/records/records.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import { NOW } from '../support/world.ts'

const open = () => memoryStores(() => NOW).registry

describe('readRecords', () => {
  test('gives undefined for a record that is not there', async () => {
    assert.equal(await readRecords(open(), CLIENTS)('nobody'), undefined)
  })

  test('names the members at fault, never their values', async () => {
    const registry = open()
    await registry.put(
      'client:c',
      '{"schema":1,"client_id":"c","client_secrets":[{"id":"1","hash":7}],"scope":["$2b$secret"]}',
    )
    await assert.rejects(readRecords(registry, CLIENTS)('c'), (error) => {
      assert.ok(error instanceof OAuthError)
      assert.equal(error.reason, 'record_malformed')
      assert.equal(error.cause, 'members at fault: client_secrets.0.hash, scope')
      return true
    })
  })
})
