/** The file of a private key set, which is the value of SIGNING_KEYS. */

import { chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { readKeySet } from '../keys/key_set.ts'
import { type PrivateJwk, toSigningKey } from '../keys/signing_key.ts'
import { CliError } from './errors.ts'
import { warn } from './output.ts'

/** From this size on, a set may soon not fit into a secret of a Worker. */
const LARGE_BYTES = 4500

/** Returns the keys of a file. @throws CliError `usage` */
export async function readKeyFile(file: string): Promise<readonly PrivateJwk[]> {
  try {
    return await readKeySet(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new CliError('usage', `${file}: ${error instanceof Error ? error.message : error}`)
  }
}

/** Returns what decides the state of each key. @throws CliError `usage` for an unusable key */
export async function placesOf(
  jwks: readonly PrivateJwk[],
): Promise<{ kid: string; alg: string; signsFrom: number }[]> {
  try {
    return await Promise.all(jwks.map(toSigningKey))
  } catch (error) {
    throw new CliError('usage', `the set ${error instanceof Error ? error.message : error}`)
  }
}

/** Replaces the file atomically: another process reads either the old set or the new one. */
export function writeKeyFile(file: string, keys: readonly PrivateJwk[]): void {
  const temporary = `${file}.${process.pid}`
  try {
    writeFileSync(temporary, textOf(keys), { mode: 0o600, flag: 'wx' })
    chmodSync(temporary, 0o600)
    renameSync(temporary, file)
  } catch (error) {
    throw new CliError('usage', error instanceof Error ? error.message : `${error}`)
  }
}

/** Returns the text of a set: compact, because a secret of a Worker holds 5 KB. */
export function textOf(keys: readonly PrivateJwk[]): string {
  const text = `${JSON.stringify({ keys })}\n`
  const bytes = new TextEncoder().encode(text).length
  if (bytes > LARGE_BYTES)
    warn(`edgemint: the set has ${bytes} bytes, and a secret of a Worker holds 5 KB: use ES256 keys, or remove one`)
  return text
}
