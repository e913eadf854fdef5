import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { describe, test } from '#test'
import { openSqlite } from '../../src/runtime/open_sqlite.ts'

describe('openSqlite', () => {
  test('keeps the runtime from printing that SQLite is experimental, and no other warning', async () => {
    const before = process.listeners('warning')
    const printed: string[] = []
    process.removeAllListeners('warning')
    process.on('warning', ({ message }) => void printed.push(message))
    try {
      const stores = await openSqlite(`sqlite:${join(mkdtempSync(join(tmpdir(), 'edgemint-')), 'a.db')}`)
      process.emitWarning('SQLite is an experimental feature and might change at any time', 'ExperimentalWarning')
      process.emitWarning('Another feature is experimental', 'ExperimentalWarning')
      process.emitWarning('SQLite is slow', 'Warning')
      await new Promise((resolve) => setTimeout(resolve))
      await stores.close()
    } finally {
      process.removeAllListeners('warning')
      for (const listener of before) process.on('warning', listener)
    }
    assert.deepEqual(printed, ['Another feature is experimental', 'SQLite is slow'])
  })
})
