import { env } from 'cloudflare:workers'
import { describe } from '#test'
import { type KvNamespace, kvRegistry } from '../../src/stores/kv.ts'
import { freshnessContract } from './freshness_contract.ts'
import { registryContract } from './registry_contract.ts'

describe('kvRegistry', () => {
  registryContract(() => kvRegistry(env['CLIENTS'] as KvNamespace), false)
  freshnessContract(() => kvRegistry(env['CLIENTS'] as KvNamespace))
})
