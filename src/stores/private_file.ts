/** Database files that only their owner can read. */

import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Creates the file and its folders if they do not exist. SQLite creates its side files with the mode of the database, so the
 * mode must be set before SQLite opens the file.
 *
 * @throws the error of the file system
 */
export function createPrivately(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  closeSync(openSync(path, 'a', 0o600))
}
