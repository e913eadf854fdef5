import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from '#test'
import { sqliteStores } from '../../src/stores/sqlite.ts'
import { NOW } from '../support/world.ts'
import { freshnessContract } from './freshness_contract.ts'
import { ledgerContract } from './ledger_contract.ts'
import { registryContract } from './registry_contract.ts'

const folder = mkdtempSync(join(tmpdir(), 'edgemint-'))
const mode = (file: string) => statSync(file).mode & 0o777
const still = () => NOW

describe('sqliteStores', () => {
  const shared = join(folder, 'shared', 'edgemint.db')
  registryContract(() => sqliteStores(shared, still).registry)
  freshnessContract(() => sqliteStores(shared, still).registry)
  ledgerContract((now) => sqliteStores(shared, now).ledger)

  test('nobody but the owner may read any of its files', async () => {
    const file = join(folder, 'private', 'edgemint.db')
    const { registry } = sqliteStores(file, still)
    await registry.put('client:a', '1')
    assert.equal(mode(join(file, '..')), 0o700)
    for (const each of [file, `${file}-wal`, `${file}-shm`]) assert.equal(mode(each), 0o600, each)
  })

  test('sweeps what expired', async () => {
    const file = join(folder, 'sweep', 'edgemint.db')
    let now = NOW
    const { ledger, close } = sqliteStores(file, () => now)
    await ledger.add('old', '', NOW + 1)
    await ledger.add('live', '', NOW + 999)
    // Five minutes longer, for callers whose clocks are late.
    now = NOW + 301
    await ledger.add('new', '', NOW + 999)
    await close()
    const keys = new DatabaseSync(file)
      .prepare('SELECT key FROM ledger')
      .all()
      .map(({ key }) => key)
    assert.deepEqual(keys, ['live', 'new'])
  })

  test('somebody who holds the lock keeps a write waiting, and nothing else', async () => {
    const file = join(folder, 'held.db')
    const { registry, close } = sqliteStores(file, () => NOW)
    await registry.put('client:a', '1')
    const holder = new DatabaseSync(file)
    holder.exec('BEGIN IMMEDIATE')
    const written = registry.put('client:a', '2')
    assert.equal(await registry.get('client:a'), '1')
    holder.exec('COMMIT')
    await written
    assert.equal(await registry.get('client:a'), '2')
    holder.exec('BEGIN IMMEDIATE')
    await assert.rejects(registry.put('client:a', '3'), /locked/)
    holder.exec('COMMIT')
    holder.close()
    await close()
  })

  test('waits for a writer who holds a new file', async () => {
    const file = join(folder, 'locked.db')
    const holder = new DatabaseSync(file)
    holder.exec('CREATE TABLE other (a); BEGIN IMMEDIATE; INSERT INTO other VALUES (1)')
    const script = `
      import { sqliteStores } from ${JSON.stringify(new URL('../../src/stores/sqlite.ts', import.meta.url).href)}
      await sqliteStores(${JSON.stringify(file)}, Date.now).registry.put('client:a', '1')
      console.log('put')`
    const exited = once(execFile('node', ['--input-type=module', '-e', script]), 'exit')
    await new Promise((resolve) => setTimeout(resolve, 500))
    holder.exec('COMMIT')
    const [code] = await exited
    assert.equal(code, 0)
    assert.equal(await sqliteStores(file, still).registry.get('client:a'), '1')
  })

  test('refuses a file that is no database', () => {
    const file = join(folder, 'text')
    writeFileSync(file, 'this is no database, and it is long enough to be read as one'.repeat(100))
    assert.throws(() => sqliteStores(file, still), /not a database/)
  })
})
