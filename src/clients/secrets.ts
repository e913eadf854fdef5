/** Comparing a presented secret with the live ones of a client: at most once for the same, and never too many at a time. */

import { OAuthError, temporarilyUnavailable } from '../errors.ts'
import { encodeBase64url } from '../lib/base64url.ts'
import { lru } from '../lib/lru.ts'
import { singleFlight } from '../lib/single_flight.ts'
import type { ClientReason } from '../reasons.ts'
import type { Client, ClientSecret } from '../types.ts'
import { type HashKind, hashKind } from './secret_hashes.ts'

/** How many verified secrets are remembered. */
const MAX_REMEMBERED = 20_000

/** Slow comparisons under way at a time, in one process or isolate. */
const MAX_COMPARING = 8

/** Each failed one is paid off in so many times its cost: in the long run guessing gets an eighth of the CPU. */
const PAY_OFF_FACTOR = 8

const RETRY_SECONDS = 1

/** Longer than ten of the slowest take. */
const MAX_COMPARING_SECONDS = 60

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
      return kind === undefined || !kind.canBe(secret) ? [] : [{ hash, kind, cost: kind.costMilliseconds(hash) }]
    })
    for (const { hash, kind, cost } of usable) {
      if (cost === 0 && (await kind.compare(secret, hash))) return undefined
    }
    const slow = usable.filter(({ cost }) => cost > 0)
    if (slow.length > 0 && (await isSlowlyRight(client.client_id, secret, slow))) return undefined
    return whyNone(registered, live)
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
  const flights = singleFlight<boolean>(MAX_COMPARING_SECONDS)
  const tag = tagger()
  let startedAt: readonly number[] = []
  let paidOffAt = 0

  const admit = (): number => {
    const now = clock()
    // On Workers what a cancelled request began may never end; it must not keep its place.
    startedAt = startedAt.filter((started) => started > now - MAX_COMPARING_SECONDS * 1000)
    if (startedAt.length >= MAX_COMPARING || paidOffAt - now > allowance * PAY_OFF_FACTOR) throw busy()
    startedAt = [...startedAt, now]
    return now
  }

  /** What the comparisons cost is paid only when none of them was right. */
  const compareAll = async (keys: readonly string[], secret: string, hashes: readonly SlowHash[]): Promise<boolean> => {
    const admittedAt = admit()
    try {
      for (const [index, { hash, kind }] of hashes.entries()) {
        await onCompare?.()
        if (await kind.compare(secret, hash)) {
          right.set(keys[index] ?? '', true)
          return true
        }
      }
      const spent = hashes.reduce((sum, { cost }) => sum + cost, 0)
      paidOffAt = Math.max(paidOffAt, clock()) + spent * PAY_OFF_FACTOR
      return false
    } finally {
      startedAt = startedAt.toSpliced(startedAt.indexOf(admittedAt), startedAt.includes(admittedAt) ? 1 : 0)
    }
  }

  return async (client_id, secret, hashes) => {
    const keys = await Promise.all(hashes.map(({ hash }) => tag([client_id, hash, secret])))
    // All that is remembered before anything is compared: the secret may be the last of several.
    if (keys.some((key) => right.get(key))) return true
    return flights(keys.join(), () => compareAll(keys, secret, hashes)).catch((error: unknown) => {
      throw error instanceof OAuthError ? error : busy()
    })
  }
}

function busy(): OAuthError {
  const text = 'Too many secrets are being checked at the moment.'
  return temporarilyUnavailable('comparisons_busy', text, undefined, RETRY_SECONDS)
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

function whyNone(registered: readonly ClientSecret[], live: readonly ClientSecret[]): ClientReason {
  if (registered.length === 0) return 'secret_missing'
  if (live.length === 0) return 'secret_expired'
  return live.some(({ hash }) => hashKind(hash) !== undefined) ? 'secret_wrong' : 'secret_hash_unknown'
}
