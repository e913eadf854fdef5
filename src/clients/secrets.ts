/** Comparing a presented secret with the live ones of a client: at most once for the same, and never too many at a time. */

import { temporarilyUnavailable } from '../errors.ts'
import { encodeBase64url } from '../lib/base64url.ts'
import { lru } from '../lib/lru.ts'
import type { ClientReason } from '../reasons.ts'
import type { Client, ClientSecret } from '../types.ts'
import { type HashKind, hashKind } from './secret_hashes.ts'

/** How many verified secrets are remembered. */
const MAX_REMEMBERED = 10_000

/** Slow comparisons under way at a time, in one process or isolate. */
const MAX_COMPARING = 8

/** Each failed one is paid off in so many times its cost: in the long run guessing gets an eighth of the CPU. */
const PAY_OFF_FACTOR = 8

const RETRY_SECONDS = 1

/** Gives undefined when the secret is one of the client's at `now`, epoch seconds, else why not. */
export type VerifySecret = (client: Client, secret: string, now: number) => Promise<ClientReason | undefined>

export interface SecretVerifierOptions {
  /** Milliseconds, for what guessing may cost. */
  readonly clock?: () => number
  /** Milliseconds that failed comparisons may cost at once, so that some mistakes disturb nobody. */
  readonly allowance?: number
  /** Told of each slow comparison, and waited for. */
  readonly onCompare?: () => unknown
}

/**
 * Makes a verifier with a memory of its own. The features of one server share one.
 *
 * It rejects with OAuthError `temporarily_unavailable` when too many slow comparisons are under way.
 */
export function secretVerifier(options: SecretVerifierOptions = {}): VerifySecret {
  const isSlowlyRight = slowComparisons(options)
  return async (client, secret, now) => {
    const registered = client.client_secrets ?? []
    const live = registered.filter(({ expires_at = 0 }) => expires_at === 0 || now < expires_at)
    const usable = live.flatMap(({ hash }) => {
      const kind = hashKind(hash)
      return kind === undefined ? [] : [{ hash, kind, cost: kind.costMilliseconds(hash) }]
    })
    for (const { hash, kind, cost } of usable) {
      if (cost === 0 && (await kind.compare(secret, hash))) return undefined
    }
    const slow = usable.filter(({ cost }) => cost > 0)
    if (slow.length > 0 && (await isSlowlyRight(client.client_id, secret, slow))) return undefined
    return whyNone(registered, live, usable)
  }
}

interface SlowHash {
  readonly hash: string
  readonly kind: HashKind
  readonly cost: number
}

type IsSlowlyRight = (client_id: string, secret: string, hashes: readonly SlowHash[]) => Promise<boolean>

/** Remembers what was right, shares what is under way, bounds the rest. */
function slowComparisons({ clock = Date.now, allowance = 3000, onCompare }: SecretVerifierOptions): IsSlowlyRight {
  const right = lru<true>(MAX_REMEMBERED)
  const comparing = new Map<string, Promise<boolean>>()
  const tag = tagger()
  let paidOffAt = 0

  const compare = async (secret: string, { hash, kind, cost }: SlowHash): Promise<boolean> => {
    if (comparing.size >= MAX_COMPARING || paidOffAt - clock() > allowance * PAY_OFF_FACTOR) {
      const text = 'Too many secrets are being checked at the moment.'
      throw temporarilyUnavailable('comparisons_busy', text, undefined, RETRY_SECONDS)
    }
    await onCompare?.()
    const isRight = await kind.compare(secret, hash)
    if (!isRight) paidOffAt = Math.max(paidOffAt, clock()) + cost * PAY_OFF_FACTOR
    return isRight
  }

  const compareOnce = async (key: string, secret: string, hash: SlowHash): Promise<boolean> => {
    const underWay = comparing.get(key)
    if (underWay !== undefined) return underWay
    const result = compare(secret, hash)
    comparing.set(key, result)
    try {
      const isRight = await result
      if (isRight) right.set(key, true)
      return isRight
    } finally {
      comparing.delete(key)
    }
  }

  return async (client_id, secret, hashes) => {
    const keys = await Promise.all(hashes.map(({ hash }) => tag([client_id, hash, secret])))
    // All that is remembered before anything is compared: the secret may be the last of several.
    if (keys.some((key) => right.get(key))) return true
    for (const [index, hash] of hashes.entries()) {
      if (await compareOnce(keys[index] ?? '', secret, hash)) return true
    }
    return false
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
