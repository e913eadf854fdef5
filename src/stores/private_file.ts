/** Database files that nobody but their owner may read. */

import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Creates the file and its folders if they are not there. SQLite gives its side files the mode of the database, so it
 * has to be set before SQLite sees the file.
 *
 * @throws Error of the file system
 */
export function createPrivately(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  closeSync(openSync(path, 'a', 0o600))
}
