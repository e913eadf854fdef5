/** JWTs that may be used once: a mark in the ledger for each. */

import { temporarilyUnavailable } from '../errors.ts'
import { encodeBase64url } from '../lib/base64url.ts'
import type { Ledger } from '../stores/contracts.ts'

/** Between the moment a request was judged and that of its mark; the ledger has a clock of its own. */
const SLACK_SECONDS = 60

/**
 * Gives true to the first who claims, false to all others until the mark expires.
 *
 * @param parts what together makes the JWT one of its kind; may hold anything that a client makes up
 * @param expiresAt epoch seconds, when it could not be used any more anyway
 * @throws OAuthError `temporarily_unavailable`
 */
export async function claimOnce(ledger: Ledger, parts: readonly string[], expiresAt: number): Promise<boolean> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(JSON.stringify(parts)))
  const mark = `jti:${encodeBase64url(new Uint8Array(digest))}`
  return ledger.add(mark, '', expiresAt + SLACK_SECONDS).catch((cause: unknown) => {
    throw temporarilyUnavailable('store_failed', 'The replay ledger cannot be reached.', cause)
  })
}
