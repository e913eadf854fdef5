import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from '#test'
import { sqliteRegistry } from '../../src/stores/sqlite.ts'
import { registryContract } from './registry_contract.ts'

const folder = mkdtempSync(join(tmpdir(), 'edgemint-'))
let files = 0
const path = () => join(folder, `${files++}`, 'edgemint.db')
const mode = (file: string) => statSync(file).mode & 0o777

describe('sqliteRegistry', () => {
  registryContract(() => sqliteRegistry(path()))

  test('a second connection sees what the first put', async () => {
    const file = path()
    const [one, two] = [sqliteRegistry(file), sqliteRegistry(file)]
    await one.put('client:a', '1')
    assert.equal(await two.get('client:a'), '1')
    await two.put('client:a', '2')
    assert.equal(await one.get('client:a'), '2')
  })

  test('nobody but the owner may read any of its files', async () => {
    const file = path()
    await sqliteRegistry(file).put('client:a', '1')
    assert.equal(mode(join(file, '..')), 0o700)
    for (const each of [file, `${file}-wal`, `${file}-shm`]) {
      assert.ok(existsSync(each))
      assert.equal(mode(each), 0o600, each)
    }
  })

  test('refuses a file that is no database', () => {
    const file = join(folder, 'text')
    writeFileSync(file, 'this is no database, and it is long enough to be read as one'.repeat(100))
    assert.throws(() => sqliteRegistry(file), /not a database/)
  })
})
