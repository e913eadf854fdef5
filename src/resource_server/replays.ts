/** The proofs that were used: a memory of this process, bounded. */

import { digestOf } from '../lib/digest.ts'

/** Proofs of a minute and a half at a thousand requests a second. */
const MAX_PROOFS = 100_000

/** Result of claiming a proof. */
export type Claimed = 'first' | 'repeated' | 'full'

/**
 * Marks a proof as used. `identity` identifies it and may hold any text from a client; `expiresAt` is the epoch seconds from which
 * it is refused as too old.
 */
export type ClaimProof = (identity: readonly string[], expiresAt: number) => Promise<Claimed>

/**
 * Returns a memory of proofs. While it is full of proofs that could be replayed, it takes no other: forgetting one would allow a replay.
 *
 * @param now returns epoch seconds
 */
export function replayMemory(now: () => number, maxProofs: number = MAX_PROOFS): ClaimProof {
  const expiries = new Map<string, number>()
  return async (identity, expiresAt) => {
    const name = await digestOf(JSON.stringify(identity))
    if (expiries.has(name)) return 'repeated'
    // They were added nearly in the order in which they expire.
    for (const [old, until] of expiries) {
      if (until > now()) break
      expiries.delete(old)
    }
    if (expiries.size >= maxProofs) return 'full'
    expiries.set(name, expiresAt)
    return 'first'
  }
}
