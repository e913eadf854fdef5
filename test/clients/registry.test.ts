import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { isClientId, readClients } from '../../src/clients/registry.ts'
import { OAuthError } from '../../src/errors.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import { NOW } from '../support/world.ts'

const open = () => memoryStores(() => NOW).registry

describe('readClients', () => {
  test('gives undefined for a client that is not there', async () => {
    assert.equal(await readClients(open())('nobody'), undefined)
  })

  test('names the members at fault, never their values', async () => {
    const registry = open()
    await registry.put(
      'client:c',
      '{"schema":1,"client_id":"c","client_secrets":[{"id":"1","hash":7}],"scope":["$2b$secret"]}',
    )
    await assert.rejects(readClients(registry)('c'), (error) => {
      assert.ok(error instanceof OAuthError)
      assert.equal(error.reason, 'client_record_malformed')
      assert.equal(error.cause, 'members at fault: client_secrets.0.hash, scope')
      return true
    })
  })
})

describe('isClientId', () => {
  test('takes every visible ASCII character and the blank', () => {
    for (let code = 0; code < 0x100; code++) {
      assert.equal(isClientId(String.fromCharCode(code)), code >= 0x20 && code <= 0x7e)
    }
  })

  test('takes 256 characters, not 257, not none', () => {
    assert.ok(isClientId('x'.repeat(256)))
    assert.ok(!isClientId('x'.repeat(257)))
    assert.ok(!isClientId(''))
  })
})
