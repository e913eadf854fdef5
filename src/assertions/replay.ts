/** Replay protection: one mark in the ledger for each JWT that may be used once. */

import { encodeBase64url } from '../lib/base64url.ts'
import type { Ledger } from '../stores/contracts.ts'

/** Extra time to keep a mark: it is written after the request was checked, and the ledger has its own clock. */
const SLACK_SECONDS = 60

/**
 * Returns true at the first call for a JWT, and false at every other until the mark expires.
 *
 * @param parts identify the JWT; may hold any text from a client
 * @param expiresAt epoch seconds from which the JWT would be refused as too old
 * @throws OAuthError `temporarily_unavailable` when the ledger fails
 */
export async function claimOnce(ledger: Ledger, parts: readonly string[], expiresAt: number): Promise<boolean> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(JSON.stringify(parts)))
  const mark = `jti:${encodeBase64url(new Uint8Array(digest))}`
  // A store of the caller's own may answer something else than the contract says: only `true` is a claim.
  return (await ledger.add(mark, '', expiresAt + SLACK_SECONDS)) === true
}
