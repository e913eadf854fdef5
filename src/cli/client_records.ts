/** Changes and prints the client records of the server. */

import { accept, listOf, type Send, segment } from './api.ts'
import type { Members, ServerOptions } from './http.ts'
import { instant, printJson, printMembers, printTable, warn } from './output.ts'

/** Members that the server stores as hashes only. */
const SHOWN_ONCE = ['client_secret', 'registration_access_token']

/** Returns the path of a client's record. */
export function clientPath(id: string): string {
  return `/register/${segment(id)}`
}

/** After so many changes of others in between, the change is written without a version, so that it stands in any case. */
const ATTEMPTS = 5

/** Reads a client, changes it and writes it back; reads it again when another caller wrote in between. */
export async function changeClient(send: Send, id: string, decide: (client: Members) => Members): Promise<Members> {
  for (let attempt = 1; ; attempt++) {
    const { etag, ...answer } = await send('GET', clientPath(id))
    const { client_secrets: _secrets, ...client } = accept({ etag, ...answer })
    const isConditional = etag !== undefined && attempt < ATTEMPTS
    const written = await send('PUT', clientPath(id), decide(client), isConditional ? { 'If-Match': etag } : {})
    if (!isConditional || written.status !== 412) return accept(written)
  }
}

/** Prints a record, and which of its members the server will not show again. */
export function printClient(client: Members, { json }: ServerOptions): void {
  if (json) {
    printJson(client)
    return
  }
  const { client_secrets: _secrets, ...members } = client
  printMembers(members)
  const once = SHOWN_ONCE.filter((member) => members[member] !== undefined)
  if (once.length > 0) warn(`Shown only once: ${once.join(', ')}.`)
  if (client['client_secrets'] !== undefined) printSecrets(listOf(client, 'client_secrets'))
}

/** Prints the ids of secrets, and when they were created and expire. */
export function printSecrets(secrets: readonly Members[]): void {
  if (secrets.length === 0) return
  printTable(
    ['secret id', 'label', 'created', 'expires'],
    secrets.map(({ id, label, created_at, expires_at = 0 }) => [id, label, instant(created_at), instant(expires_at)]),
  )
}
