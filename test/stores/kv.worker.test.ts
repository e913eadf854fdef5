import { env } from 'cloudflare:workers'
import assert from 'node:assert/strict'
import { describe } from '#test'
import { type KvNamespace, kvRegistry } from '../../src/stores/kv.ts'
import { registryContract } from './registry_contract.ts'

describe('kvRegistry', () => {
  const namespace = env['CLIENTS'] as KvNamespace
  assert.ok(namespace)
  registryContract(() => kvRegistry(namespace))
})
