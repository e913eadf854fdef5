import { env } from 'cloudflare:workers'
import { describe } from '#test'
import { type KvNamespace, kvRegistry, type RecordNamespace } from '../../src/stores/kv.ts'
import { freshnessContract } from './freshness_contract.ts'
import { registryContract } from './registry_contract.ts'

const namespace = env['CLIENTS'] as KvNamespace
const open = () => kvRegistry(namespace, env['LEDGER'] as RecordNamespace)

describe('kvRegistry', () => {
  registryContract(open, { takesAnyCursor: false, many: 2500, fill: (key, value) => namespace.put(key, value) })
  freshnessContract(open)
})
