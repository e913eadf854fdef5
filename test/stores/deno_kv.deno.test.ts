import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe } from '#test'
import { type DenoKv, denoKvStores } from '../../src/stores/deno_kv.ts'
import { createPrivately } from '../../src/stores/private_file.ts'
import { NOW } from '../support/world.ts'
import { freshnessContract } from './freshness_contract.ts'
import { ledgerContract } from './ledger_contract.ts'
import { registryContract } from './registry_contract.ts'

declare const Deno: { openKv(path: string): Promise<DenoKv> }

const file = join(mkdtempSync(join(tmpdir(), 'edgemint-')), 'edgemint.kv')
createPrivately(file)
const opened = Deno.openKv(file)

describe('denoKvStores', () => {
  registryContract(
    () =>
      denoKvStores(
        () => opened,
        () => NOW,
      ).registry,
  )
  freshnessContract(
    () =>
      denoKvStores(
        () => opened,
        () => NOW,
      ).registry,
  )
  ledgerContract((now) => denoKvStores(() => opened, now).ledger)
})
