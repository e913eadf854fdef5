import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from '#test'
import type { Ledger } from '../../src/stores/contracts.ts'
import * as statements from '../../src/stores/ledger_sql.ts'
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

  test('only the owner can read its files', async () => {
    const file = join(folder, 'private', 'edgemint.db')
    const { registry } = sqliteStores(file, still)
    await registry.put('client:a', '1')
    assert.equal(mode(join(file, '..')), 0o700)
    for (const each of [file, `${file}-wal`, `${file}-shm`]) assert.equal(mode(each), 0o600, each)
  })

  test('a lock of another connection delays writes only', async () => {
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

  for (const journal of ['delete', 'wal']) {
    test(`waits for another connection that has locked a new file with journal mode ${journal}`, async () => {
      const file = join(folder, `locked-${journal}.db`)
      const holder = new DatabaseSync(file)
      holder.exec(`PRAGMA journal_mode = ${journal}`)
      holder.exec('CREATE TABLE other (a); BEGIN IMMEDIATE; INSERT INTO other VALUES (1)')
      const script = `
      import { sqliteStores } from ${JSON.stringify(new URL('../../src/stores/sqlite.ts', import.meta.url).href)}
      await sqliteStores(${JSON.stringify(file)}, Date.now).registry.put('client:a', '1')
      console.log('put')`
      const child = execFile('node', ['--input-type=module', '-e', script])
      const exited = once(child, 'exit')
      await new Promise((resolve) => setTimeout(resolve, 500))
      holder.exec('COMMIT')
      const [code] = await exited
      assert.equal(code, 0)
      assert.equal(await sqliteStores(file, still).registry.get('client:a'), '1')
    })
  }

  test('closes both of its connections', async () => {
    const { registry, ledger, close } = sqliteStores(join(folder, 'closed.db'), still)
    await registry.put('client:a', '1')
    await close()
    await assert.rejects(registry.get('client:a'))
    await assert.rejects(ledger.get('jti:a'))
  })

  test('refuses a file that is not a database', () => {
    const file = join(folder, 'text')
    writeFileSync(file, 'this is no database, and it is long enough to be read as one'.repeat(100))
    assert.throws(() => sqliteStores(file, still), /not a database/)
  })
})

describe('the SQL of the ledger', () => {
  test('numbers no parameter, because older versions of Node 22 and 24 do not bind numbered ones', () => {
    for (const sql of Object.values(statements)) assert.doesNotMatch(String(sql), /\?\d/)
  })
})

describe('sqliteStores: the sweep', () => {
  let files = 0
  /** Returns a ledger with a settable clock, and a function that returns the keys of all its rows, expired or not. */
  const setUp = () => {
    const file = join(folder, `sweep-${files++}.db`)
    const clock = { now: NOW }
    const { ledger, close } = sqliteStores(file, () => clock.now)
    const reader = new DatabaseSync(file)
    const rows = (): unknown[] =>
      reader
        .prepare('SELECT key FROM ledger ORDER BY key')
        .all()
        .map(({ key }) => key)
    const end = async () => {
      reader.close()
      await close()
    }
    return { clock, ledger, rows, end }
  }

  test('removes a mark five minutes after its expiry, for callers whose clocks are slow', async () => {
    const { clock, ledger, rows, end } = setUp()
    await ledger.add('live', '', NOW + 9999)
    await ledger.add('old-0', '', NOW + 100)
    await ledger.add('old-1', '', NOW + 101)
    await ledger.add('old-2', '', NOW + 102)
    clock.now = NOW + 401
    await ledger.add('new', '', NOW + 9999)
    assert.deepEqual(rows(), ['live', 'new', 'old-2'])
    await end()
  })

  const writes: readonly [name: string, write: (ledger: Ledger) => Promise<unknown>][] = [
    ['an add', (ledger) => ledger.add('other', '', NOW + 9999)],
    ['a count', (ledger) => ledger.count('other', 9999)],
  ]
  for (const [name, write] of writes) {
    test(`runs with ${name}, at most once a minute`, async () => {
      const { clock, ledger, rows, end } = setUp()
      for (const [after, isSwept] of [
        [0, false],
        [59, false],
        [60, true],
        [60, false],
        [119, false],
        [120, true],
        [500, true],
        [559, false],
        [560, true],
      ] as const) {
        clock.now = NOW
        await ledger.add('old', '', NOW - 9999)
        clock.now = NOW + after
        await write(ledger)
        assert.equal(rows().includes('old'), !isSwept, `${after} s after the start`)
      }
      await end()
    })
  }

  test('removes a thousand rows at a time, and the rest a second later', async () => {
    const { clock, ledger, rows, end } = setUp()
    for (let index = 0; index < 2001; index++) await ledger.add(`old-${index}`, '', NOW - 9999)
    for (const [after, left] of [
      [60, 1001],
      [60, 1001],
      [61, 1],
      [62, 0],
    ] as const) {
      clock.now = NOW + after
      await ledger.add('live', '', NOW + 9999)
      assert.equal(rows().length - 1, left, `${after} s after the start`)
    }
    await end()
  })
})
