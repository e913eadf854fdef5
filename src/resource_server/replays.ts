/** The proofs that were used: a memory of this process, bounded and shared fairly among the keys of clients. */

import { digestOf } from '../lib/digest.ts'

const MAX_PROOFS = 200_000

/** Free places that there must be for each proof that a key has in the memory already. */
const FREE_PER_PROOF = 4

/** Result of claiming a proof. */
export type Claimed = 'first' | 'repeated' | 'full'

/**
 * Marks a proof as used. `identity` identifies it and may hold any text from a client; `expiresAt` is the epoch seconds from which
 * it is refused as too old; `jkt` is the thumbprint of its key, to which the token is bound.
 */
export type ClaimProof = (identity: readonly string[], expiresAt: number, jkt: string) => Promise<Claimed>

/** A key of a client. */
interface Sender {
  readonly jkt: string
  /** Its proofs that are kept. */
  proofs: number
}

interface Proof {
  readonly expiresAt: number
  readonly sender: Sender
}

/**
 * Returns a memory of proofs. Forgetting one that could be replayed would allow the replay, so a key may hold a quarter of as many as
 * there are free places, and gets `full` beyond that: one key can fill a fifth of the memory, and `n` keys leave 0.8ⁿ of it to others.
 *
 * @param now returns epoch seconds
 */
export function replayMemory(now: () => number, maxProofs: number = MAX_PROOFS): ClaimProof {
  const proofs = new Map<string, Proof>()
  const senders = new Map<string, Sender>()
  const forgetExpired = (): void => {
    // They were added nearly in the order in which they expire.
    for (const [name, { expiresAt, sender }] of proofs) {
      if (expiresAt > now()) break
      proofs.delete(name)
      if (--sender.proofs === 0) senders.delete(sender.jkt)
    }
  }
  return async (identity, expiresAt, jkt) => {
    const name = await digestOf(JSON.stringify(identity))
    forgetExpired()
    if (proofs.has(name)) return 'repeated'
    const sender = senders.get(jkt) ?? { jkt, proofs: 0 }
    if (sender.proofs * FREE_PER_PROOF >= maxProofs - proofs.size) return 'full'
    sender.proofs++
    senders.set(jkt, sender)
    proofs.set(name, { expiresAt, sender })
    return 'first'
  }
}
