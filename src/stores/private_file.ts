/** Database files that only their owner can read. */

import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Creates the file and its folders if they do not exist. SQLite creates its side files with the mode of the database, so the
 * mode must be set before SQLite opens the file.
 *
 * @throws the error of the file system
 */
export function createPrivately(path: string): void {
  createFolder(dirname(path))
  closeSync(openSync(path, 'a', 0o600))
}

/** Not with the option `recursive`: Node would try forever where a file system answers as /proc does. */
function createFolder(path: string): void {
  if (existsSync(path)) return
  createFolder(dirname(path))
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    // Another process may have created it meanwhile.
    if (!existsSync(path)) throw error
  }
}
