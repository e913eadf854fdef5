/** Opens the stores of a URL `sqlite:PATH`, or says what the operator has to change. */

import { accessSync, constants, existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import process from 'node:process'
import type { Stores } from '../stores/contracts.ts'

/** @throws Error with a message that follows the name of the setting */
export async function openSqlite(url: string): Promise<Stores> {
  const path = url.slice('sqlite:'.length)
  hideSqliteWarning()
  const { sqliteStores } = await import('../stores/sqlite.ts')
  try {
    return sqliteStores(path)
  } catch (error) {
    const denied = findDenied(resolve(path))
    if (denied === undefined) throw new Error('names a file that cannot be opened', { cause: error })
    throw new Error(
      `names ${path}, but this process may not write ${denied}: give its user that right, or name another file`,
    )
  }
}

/** Keeps Node 22 from printing that its SQLite is experimental. All other warnings are printed as before. */
function hideSqliteWarning(): void {
  const printers = process.listeners('warning')
  process.removeAllListeners('warning')
  process.on('warning', (warning) => {
    if (warning.name === 'ExperimentalWarning' && warning.message.startsWith('SQLite')) return
    for (const print of printers) print(warning)
  })
}

/**
 * Returns the file or the directory that the process would have to write, and may not. SQLite also creates files beside the
 * database, so its directory is one of them.
 */
function findDenied(path: string): string | undefined {
  const folder = nearestExisting(dirname(path))
  return [...(existsSync(path) ? [path] : []), folder].find((each) => !isWritable(each))
}

function nearestExisting(path: string): string {
  return existsSync(path) ? path : nearestExisting(dirname(path))
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}
