import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from '#test'
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
const open = (kv?: DenoKv) =>
  denoKvStores(
    async () => kv ?? opened,
    () => NOW,
  )

describe('denoKvStores', () => {
  registryContract(() => open().registry)
  freshnessContract(() => open().registry)
  ledgerContract((now) => denoKvStores(() => opened, now).ledger)

  test('stores records as octets, under separate keys', async () => {
    const kv = await opened
    const { registry, ledger } = open()
    await registry.put('client:kept', '{"ä":1}')
    await ledger.add('client:kept', 'mark', NOW + 60)
    assert.deepEqual((await kv.get(['registry', 'client:kept'])).value, new TextEncoder().encode('{"ä":1}'))
    assert.deepEqual((await kv.get(['ledger', 'client:kept'])).value, { value: 'mark', expiresAt: NOW + 60 })
    assert.equal(await registry.replace('client:kept', '{"ä":1}', '{"ö":1}'), true)
    assert.deepEqual((await kv.get(['registry', 'client:kept'])).value, new TextEncoder().encode('{"ö":1}'))
  })

  test('the database keeps a mark for five minutes after its expiry, and a record forever', async () => {
    const seen: unknown[] = []
    const { registry, ledger } = open(recording(await opened, seen))
    await ledger.add('jti:expires', '', NOW + 60)
    await ledger.count('count:expires', 10)
    await ledger.add('jti:late', '', NOW - 100)
    await registry.replace('client:expires', undefined, '1')
    assert.deepEqual(seen, [360_000, 310_000, 300_000, undefined])
  })

  test('opens the database once, at the first use, and again only after a failure', async () => {
    let tries = 0
    const { registry, ledger, close } = denoKvStores(
      async () => {
        if (++tries === 1) throw new Error('locked')
        return Object.assign(await Deno.openKv(':memory:'), {})
      },
      () => NOW,
    )
    await close()
    assert.equal(tries, 0)
    await assert.rejects(registry.get('a'), /locked/)
    assert.deepEqual(
      await Promise.all([registry.get('a'), ledger.get('a'), registry.get('b')]),
      Array(3).fill(undefined),
    )
    assert.equal(tries, 2)
    await close()
    await assert.rejects(registry.get('a'))
  })
})

/** Wraps a database and records the lifetime of each entry in milliseconds. */
function recording(kv: DenoKv, seen: unknown[]): DenoKv {
  const wrap = (operation: ReturnType<DenoKv['atomic']>): ReturnType<DenoKv['atomic']> => ({
    check: (entry) => wrap(operation.check(entry)),
    set(key, value, options) {
      seen.push(options?.expireIn)
      return wrap(operation.set(key, value, options))
    },
    delete: (key) => wrap(operation.delete(key)),
    commit: () => operation.commit(),
  })
  return {
    get: (key) => kv.get(key),
    set: (key, value) => kv.set(key, value),
    delete: (key) => kv.delete(key),
    list: (range, options) => kv.list(range, options),
    atomic: () => wrap(kv.atomic()),
    close: () => kv.close(),
  }
}
