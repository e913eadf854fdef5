/** `edgemint keys list`, `rotate --now`, `revoke` and `rewrap`: the signing keys that a running server makes and stores. */

import { accept, connect, listOf, type Send, segment } from './api.ts'
import { requireYes } from './ask.ts'
import { CliError } from './errors.ts'
import type { Members, ServerOptions } from './http.ts'
import { instant, print, printJson, printTable, warn } from './output.ts'

interface Options extends ServerOptions {
  readonly yes?: boolean
}

export interface AdvanceOptions extends Options {
  readonly alg?: string
  readonly force?: boolean
}

/** Prints the keys of a running server. */
export async function listServerKeys(options: Options): Promise<void> {
  printKeys(accept(await (await connect(options))('GET', '/keys')), options)
}

/** Has the announced keys sign at once. */
export async function advanceServerKeys(options: AdvanceOptions): Promise<void> {
  const { alg, force } = options
  const send = await connect(options)
  const { issuer, keys } = await readKeys(send)
  const next = keys.filter((key) => key['state'] === 'announced' && (alg === undefined || key['alg'] === alg))
  const kids = next.map(({ kid }) => kid).join(', ')
  await requireYes(`${issuer}: sign with ${kids || 'the announced key'} from now on?`, options)
  printKeys(accept(await send('POST', '/keys', { alg, force })), options)
}

/** Removes a key from the published ones, and denies its tokens. */
export async function revokeServerKey(kid: string, options: Options): Promise<void> {
  const send = await connect(options)
  const { issuer, keys } = await readKeys(send)
  const key = keys.find((each) => each['kid'] === kid)
  if (key === undefined) throw new CliError('refused', `${issuer} has no key ${kid}`)
  await requireYes(`${issuer}: revoke the ${key['state']} key ${kid}, and deny its tokens?`, options)
  accept(await send('DELETE', `/keys/${segment(kid)}`))
  if (options.json) printJson({ revoked: kid })
  else print(`revoked ${kid}`)
}

/** Encrypts all keys under the first key-encryption key. */
export async function rewrapServerKeys(options: Options): Promise<void> {
  const send = await connect(options)
  const { issuer } = await readKeys(send)
  warn(`${issuer}: encrypting all keys under the first key-encryption key`)
  const { rewrapped, undecryptable } = accept(await send('POST', '/keys/rewrap', {}))
  if (options.json) printJson({ rewrapped, undecryptable })
  else print(`rewrapped ${rewrapped}, undecryptable ${undecryptable}`)
}

async function readKeys(send: Send): Promise<{ readonly issuer: unknown; readonly keys: readonly Members[] }> {
  const body = accept(await send('GET', '/keys'))
  return { issuer: body['issuer'], keys: listOf(body, 'keys') }
}

function printKeys(body: Members, { json }: Options): void {
  if (json) {
    printJson(body)
    return
  }
  warn(`issuer ${body['issuer']}`)
  printTable(
    ['kid', 'alg', 'state', 'source', 'kek', 'signs from', 'published until', ''],
    listOf(body, 'keys').map((key) => [
      ...['kid', 'alg', 'state', 'source', 'kek'].map((member) => key[member]),
      instant(key['signs_from'] || undefined),
      instant(key['published_until']),
      [key['overdue'] ? 'overdue' : '', key['undecryptable'] ? 'undecryptable' : ''].filter(Boolean).join(' '),
    ]),
  )
}
