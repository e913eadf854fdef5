/** Client secrets at rest: recognising a hash and comparing a secret with it. The only user of bcrypt. */

import { compare, truncates } from 'bcrypt-ts/browser'
import type { ClientReason } from '../errors.ts'
import type { Client, ClientSecret } from '../types.ts'

/** Of cost 4 to 15: each step doubles the time, and 15 takes seconds. */
const BCRYPT = /^\$2[aby]\$(0[4-9]|1[0-5])\$[./A-Za-z0-9]{53}$/

/**
 * Compares a secret with every live secret of the client, in order. Each comparison costs what its hash costs.
 *
 * @param now epoch seconds; a secret stops at its `expires_at`
 * @returns undefined when one fits, else why none does
 */
export async function verifySecret(client: Client, secret: string, now: number): Promise<ClientReason | undefined> {
  // bcrypt reads 72 octets and takes NUL for the end: past either, different secrets would look alike.
  if (truncates(secret) || secret.includes('\0')) return 'secret_malformed'
  const registered = client.client_secrets ?? []
  const live = registered.filter(({ expires_at = 0 }) => expires_at === 0 || now < expires_at)
  const usable = live.filter(({ hash }) => BCRYPT.test(hash))
  for (const { hash } of usable) {
    if (await compare(secret, hash)) return undefined
  }
  return whyNone(registered, live, usable)
}

function whyNone(
  registered: readonly ClientSecret[],
  live: readonly ClientSecret[],
  usable: readonly ClientSecret[],
): ClientReason {
  if (registered.length === 0) return 'secret_missing'
  if (live.length === 0) return 'secret_expired'
  return usable.length === 0 ? 'secret_hash_unknown' : 'secret_wrong'
}
