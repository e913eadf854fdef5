/** Comparing a presented secret with the live ones of a client: at most once for the same, and never too many at a time. */

import { type ClientReason, temporarilyUnavailable } from '../errors.ts'
import { encodeBase64url } from '../lib/base64url.ts'
import { lru } from '../lib/lru.ts'
import type { Client, ClientSecret } from '../types.ts'
import { type HashKind, hashKind } from './secret_hashes.ts'

/** How many verified secrets are remembered. */
const MAX_REMEMBERED = 10_000

/** Slow comparisons under way at a time, in one process or isolate. */
const MAX_COMPARING = 8

/** What failed comparisons may cost at once; some mistakes disturb nobody. */
const GUESSING_MILLISECONDS = 3000

/** Each failed one is paid off in so many times its cost: in the long run guessing gets an eighth of the CPU. */
const PAY_OFF_FACTOR = 8

const RETRY_SECONDS = 1

/** Gives undefined when the secret is one of the client's at `now`, epoch seconds, else why not. */
export type VerifySecret = (client: Client, secret: string, now: number) => Promise<ClientReason | undefined>

export interface SecretVerifierOptions {
  /** Milliseconds, for what guessing may cost. */
  readonly clock?: () => number
  /** Told of each slow comparison, and waited for. */
  readonly onCompare?: () => unknown
}

/**
 * Makes a verifier with a memory of its own. The features of one server share one.
 *
 * It rejects with OAuthError `temporarily_unavailable` when too many slow comparisons are under way.
 */
export function secretVerifier({ clock = Date.now, onCompare }: SecretVerifierOptions = {}): VerifySecret {
  const compareSlowly = slowComparisons(clock, onCompare)
  return async (client, secret, now) => {
    const registered = client.client_secrets ?? []
    const live = registered.filter(({ expires_at = 0 }) => expires_at === 0 || now < expires_at)
    const usable = live.flatMap(({ hash }) => {
      const kind = hashKind(hash)
      return kind === undefined ? [] : [{ hash, kind, cost: kind.costMilliseconds(hash) }]
    })
    // The cheap ones first: a client on its way from bcrypt to a generated secret does not pay for both.
    for (const { hash, kind, cost } of usable.sort((a, b) => a.cost - b.cost)) {
      const isRight = cost === 0 ? kind.compare(secret, hash) : compareSlowly(client.client_id, secret, hash, kind)
      if (await isRight) return undefined
    }
    return whyNone(registered, live, usable)
  }
}

type CompareSlowly = (client_id: string, secret: string, hash: string, kind: HashKind) => Promise<boolean>

/** Remembers what was right, shares what is under way, bounds the rest. */
function slowComparisons(clock: () => number, onCompare?: () => unknown): CompareSlowly {
  const right = lru<true>(MAX_REMEMBERED)
  const comparing = new Map<string, Promise<boolean>>()
  const tag = tagger()
  let paidOffAt = 0

  const compare = async (secret: string, hash: string, kind: HashKind): Promise<boolean> => {
    if (comparing.size >= MAX_COMPARING || paidOffAt - clock() > GUESSING_MILLISECONDS * PAY_OFF_FACTOR) {
      const text = 'Too many secrets are being checked at the moment.'
      throw temporarilyUnavailable('comparisons_busy', text, undefined, RETRY_SECONDS)
    }
    await onCompare?.()
    const isRight = await kind.compare(secret, hash)
    if (!isRight) paidOffAt = Math.max(paidOffAt, clock()) + kind.costMilliseconds(hash) * PAY_OFF_FACTOR
    return isRight
  }

  return async (client_id, secret, hash, kind) => {
    const key = await tag([client_id, hash, secret])
    if (right.get(key)) return true
    const underWay = comparing.get(key)
    if (underWay !== undefined) return underWay
    const result = compare(secret, hash, kind)
    comparing.set(key, result)
    try {
      const isRight = await result
      if (isRight) right.set(key, true)
      return isRight
    } finally {
      comparing.delete(key)
    }
  }
}

/** HMAC under a key that only this process or isolate ever has, so that what is remembered is of no use elsewhere. */
function tagger(): (parts: readonly string[]) => Promise<string> {
  // Made at the first use: Workers give no random numbers at start.
  let key: Promise<CryptoKey> | undefined
  return async (parts) => {
    key ??= crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
    const mac = await crypto.subtle.sign('HMAC', await key, new TextEncoder().encode(JSON.stringify(parts)))
    return encodeBase64url(new Uint8Array(mac))
  }
}

function whyNone(
  registered: readonly ClientSecret[],
  live: readonly ClientSecret[],
  usable: readonly unknown[],
): ClientReason {
  if (registered.length === 0) return 'secret_missing'
  if (live.length === 0) return 'secret_expired'
  return usable.length === 0 ? 'secret_hash_unknown' : 'secret_wrong'
}
