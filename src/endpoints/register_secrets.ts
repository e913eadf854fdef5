/** `/register/{client_id}/…`: changes to a client's secrets and its registration access token. */

import { type Context, Hono } from 'hono'
import { requireOwnSecrets, withoutHash } from '../clients/management.ts'
import { addSecret, limitSecret, makeSecret, NewSecret, removeSecret, secretLimitOf } from '../clients/secret_list.ts'
import { invalidClientMetadata, notFound } from '../errors.ts'
import { emitFrom } from '../http/caller.ts'
import { readJson } from '../http/json.ts'
import { readInput } from '../lib/read_input.ts'
import { generateSecret } from '../secrets/generated.ts'
import { hashToken } from '../secrets/hashes.ts'
import { answer, changeClient, idOf, noClient, noContent, type RegisterParts, shown } from './client_records.ts'

/** Returns the routes below one client. They are not part of RFC 7592, which only replaces whole records. */
export function clientSecrets(parts: RegisterParts): Hono {
  const app = new Hono()
  app.post('/secrets', (c) => rotate(c, parts))
  app.delete('/secrets/:id', (c) => revoke(c, parts))
  app.post('/registration_access_token', (c) => renewToken(c, parts))
  return app
}

/** Adds a secret, which is shown once. The others expire at `keep_others_until` if it is given, otherwise they are kept. */
async function rotate(c: Context, parts: RegisterParts): Promise<Response> {
  const { keep_others_until, label, expires_at } = readInput(NewSecret, await readJson(c), (problem) =>
    invalidClientMetadata('metadata_malformed', problem),
  )
  const now = parts.now()
  const made = await makeSecret(now, { ...(label && { label }), ...(expires_at && { expires_at }) })
  const { client, added, record, caller } = await changeClient(c, parts, async (held, by) => {
    if (held === undefined) throw noClient()
    if (by === 'client') requireOwnSecrets(held)
    const secret_limit_at = by === 'client' ? secretLimitOf(held) : undefined
    const added = secret_limit_at === undefined ? made : limitSecret(made, secret_limit_at, now)
    const client_secrets = addSecret(held.client_secrets ?? [], added, now, keep_others_until)
    return { client: { ...held, client_secrets, secret_limit_at }, added }
  })
  emitFrom(c, parts.emit, { event: 'client_changed', change: 'secret_added', client_id: client.client_id, by: caller })
  const { client_secrets = [] } = client
  const { secret, client_secret } = added
  return answer({ ...withoutHash(secret), client_secret, client_secrets: client_secrets.map(withoutHash) }, record, 201)
}

async function revoke(c: Context, parts: RegisterParts): Promise<Response> {
  const id = c.req.param('id') ?? ''
  const { caller } = await changeClient(c, parts, async (held, by) => {
    if (held === undefined) throw noClient()
    if (!held.client_secrets?.some((secret) => secret.id === id)) throw notFound('There is no such secret.')
    return { client: removeSecret(held, id, by) }
  })
  emitFrom(c, parts.emit, { event: 'client_changed', change: 'secret_revoked', client_id: idOf(c), by: caller })
  return noContent()
}

/** Replaces the registration access token. The previous one is no longer accepted. */
async function renewToken(c: Context, parts: RegisterParts): Promise<Response> {
  const registration_access_token = generateSecret()
  const registration_access_token_hash = await hashToken(registration_access_token)
  const { client, record, caller } = await changeClient(c, parts, async (held) => {
    if (held === undefined) throw noClient()
    return { client: { ...held, registration_access_token_hash } }
  })
  emitFrom(c, parts.emit, { event: 'client_changed', change: 'token_rotated', client_id: client.client_id, by: caller })
  return answer(shown(client, parts.registrationUrl(c.req.url), { registration_access_token }), record, 200)
}
