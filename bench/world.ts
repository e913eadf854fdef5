/** The clients of the benchmarks: `client-0`, `client-1` and so on, all with the same secret. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { DatabaseSync } from 'node:sqlite'
import { clientKey, clientRecord } from '../src/clients/registry.ts'
import { generateKey } from '../src/keys/key_set.ts'
import { generateSecret } from '../src/secrets/generated.ts'
import { hashSecret } from '../src/secrets/hashes.ts'
import { sqliteStores } from '../src/stores/sqlite.ts'
import type { Client } from '../src/types.ts'

export const ALGORITHMS = ['RS256', 'ES256', 'EdDSA'] as const
export type Algorithm = (typeof ALGORITHMS)[number]

export const folder: string = mkdtempSync(join(tmpdir(), 'edgemint-bench-'))
// Servers that are killed at this moment may still have open files.
process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))

/** The input of a server's start. */
export interface Setup {
  readonly folder: string
  readonly signingKeys: string
  /** SQLite file of the process runtimes. */
  readonly database: string
  /** The record of `client-0`, from which workerd's replacement for KV makes the others. */
  readonly record: string
  /** Settings besides the issuer, the keys, the port and the store. */
  readonly settings?: Readonly<Record<string, string>>
  /** File for what the server prints; nowhere by default. */
  readonly log?: string
}

export interface WorldOptions {
  readonly alg: Algorithm
  readonly clients?: number
  /** Number of published keys in addition to the one that signs. */
  readonly moreKeys?: number
  readonly secret?: string
  readonly scope?: string
  /** The scope that is requested, if it is not that of the client. */
  readonly asked?: string
  readonly settings?: NonNullable<Setup['settings']>
}

export interface World extends Setup {
  readonly form: string
}

/** Creates the keys and the records of a server. */
export async function makeWorld(options: WorldOptions): Promise<World> {
  const { alg, clients = 1, moreKeys = 0, secret = generateSecret(), scope, asked = scope, settings } = options
  const client: Client = {
    client_id: 'client-0',
    client_secrets: [{ id: '1', hash: await hashSecret(secret) }],
    grant_types: ['client_credentials'],
    ...(scope !== undefined && { scope }),
  }
  const record = clientRecord(client)
  const database = join(mkdtempSync(join(folder, 'world-')), 'edgemint.db')
  const { registry, close } = sqliteStores(database, Date.now)
  await registry.put(clientKey('client-0'), record)
  await close()
  if (clients > 1) addClients(database, record, clients)
  const keys = await Promise.all(Array.from({ length: 1 + moreKeys }, () => generateKey(alg)))
  const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: 'client-0', client_secret: secret })
  if (asked !== undefined) form.set('scope', asked)
  const signingKeys = JSON.stringify({ keys })
  return { folder, database, record, signingKeys, form: form.toString(), ...(settings && { settings }) }
}

/** Writes to the table directly and not through the store: a million records in seconds. */
function addClients(database: string, record: string, clients: number): void {
  const sqlite = new DatabaseSync(database)
  sqlite.exec('BEGIN')
  const insert = sqlite.prepare('INSERT INTO registry (key, value) VALUES (?, ?)')
  for (let index = 1; index < clients; index++) {
    const id = `client-${index}`
    insert.run(clientKey(id), record.replace('client-0', id))
  }
  sqlite.exec('COMMIT')
  sqlite.close()
}
