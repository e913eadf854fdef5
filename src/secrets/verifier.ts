/**
 * Verification of presented secrets. Slow comparisons run one at a time, once for the same secret, and within a budget of CPU
 * time for each client.
 */

import { OAuthError } from '../errors.ts'
import { encodeBase64url } from '../lib/base64url.ts'
import { lru } from '../lib/lru.ts'
import { singleFlight } from '../lib/single_flight.ts'
import { turns } from '../lib/turns.ts'
import type { ClientReason } from '../reasons.ts'
import type { Client, ClientSecret } from '../types.ts'
import { busy, type Comparison, cpuBudget } from './cpu_budget.ts'
import { type HashKind, hashKind, type Sha256, webSha256 } from './hashes.ts'

const MAX_VERIFIED = 20_000

/** Wrong secrets that are remembered: a misconfigured client that repeats one is charged once. */
const MAX_WRONG = 2000

/** Clients that may wait for their turn at the same time. */
const MAX_WAITING = 64

const MAX_WAIT_MILLISECONDS = 10_000

/** Much longer than a piece of a comparison. On Workers, a comparison stops silently when its request is cancelled. */
const MAX_SILENT_MILLISECONDS = 1000

/** Longer than the wait for a turn and the slowest comparison. */
const MAX_SHARED_SECONDS = 20

/** Returns undefined when the client has this secret at `now`, epoch seconds, or else the reason for the refusal. */
export type VerifySecret = (client: Client, secret: string, now: number) => Promise<ClientReason | undefined>

export interface SecretVerifierOptions {
  /** WebCrypto's by default. Node, Bun and Deno have one that does not go to another thread. */
  readonly sha256?: Sha256 | undefined
  /** Returns milliseconds, for the budget. */
  readonly clock?: () => number
  /** Milliseconds of CPU time that wrong secrets of one client may use in a burst; within it, they cause no 503. */
  readonly clientAllowance?: number
  /** Milliseconds for all clients together. */
  readonly totalAllowance?: number
  /** Maximum number of verified secrets that are remembered. */
  readonly maxVerified?: number
  /** Seconds that a request waits for a comparison that another request began. */
  readonly maxSharedSeconds?: number
  /** Called before each slow comparison, and awaited. */
  readonly onCompare?: () => unknown
}

/**
 * Returns a verifier with its own memory of verified secrets and its own budget. The features of a server share one verifier.
 *
 * The verifier rejects with OAuthError `temporarily_unavailable` when a slow comparison cannot be made now.
 */
export function secretVerifier(options: SecretVerifierOptions = {}): VerifySecret {
  const matchesSlowHash = slowComparisons(options)
  const kindsOf = hashKinds()
  return async (client, secret, now) => {
    const { client_secrets: registered = [] } = client
    const kinds = kindsOf(registered)
    const slow: SlowHash[] = []
    for (const [index, { hash, expires_at = 0 }] of registered.entries()) {
      const kind = kinds[index]
      if (!isLive(expires_at, now) || !kind?.canBe(secret)) continue
      if (!kind.isFast) slow.push({ hash, kind })
      else if (await kind.compare(secret, hash, options)) return undefined
    }
    if (slow.length > 0 && (await matchesSlowHash(client.client_id, secret, slow))) return undefined
    return refusalReason(registered, kinds, now)
  }
}

/** @param expiresAt 0: never */
function isLive(expiresAt: number, now: number): boolean {
  return expiresAt === 0 || now < expiresAt
}

type Kinds = readonly (HashKind | undefined)[]

/** Returns a function that returns the kinds of the hashes of a client, once for each version of its record. */
function hashKinds(): (secrets: readonly ClientSecret[]) => Kinds {
  const known = new WeakMap<readonly ClientSecret[], Kinds>()
  return (secrets) => {
    const held = known.get(secrets)
    if (held !== undefined) return held
    const kinds = secrets.map(({ hash }) => hashKind(hash))
    known.set(secrets, kinds)
    return kinds
  }
}

interface SlowHash {
  readonly hash: string
  readonly kind: HashKind
}

type MatchesSlowHash = (clientId: string, secret: string, hashes: readonly SlowHash[]) => Promise<boolean>

/** Remembers results, shares comparisons that are under way, and runs the others in turn. */
function slowComparisons(options: SecretVerifierOptions): MatchesSlowHash {
  const verified = lru<true>(options.maxVerified ?? MAX_VERIFIED)
  const wrong = lru<true>(MAX_WRONG)
  const underWay = singleFlight<boolean>(options.maxSharedSeconds ?? MAX_SHARED_SECONDS)
  const digestOf = keyedDigests(options.sha256 ?? webSha256)
  const inTurn = chargedTurns(options)

  const compareAll = async (secret: string, hashes: readonly KeyedHash[], renew: () => void): Promise<boolean> => {
    for (const { hash, kind, name } of hashes) {
      await options.onCompare?.()
      if (await kind.compare(secret, hash, { onPiece: renew })) {
        verified.set(name, true)
        return true
      }
      wrong.set(name, true)
    }
    return false
  }

  return async (clientId, secret, hashes) => {
    const keyed = await Promise.all(
      hashes.map(async (slow) => ({ ...slow, name: await digestOf([clientId, slow.hash, secret]) })),
    )
    // Look up every hash before any comparison: the secret may belong to the last of several hashes.
    if (keyed.some(({ name }) => verified.get(name))) return true
    const untried = keyed.filter(({ name }) => !wrong.get(name))
    if (untried.length === 0) return false
    const presented = keyed.map(({ name }) => name).join()
    const costMilliseconds = untried.reduce((sum, { hash, kind }) => sum + kind.costMilliseconds(hash), 0)
    const comparison = { clientId, presented, costMilliseconds }
    const work = () => inTurn(comparison, (renew) => compareAll(secret, untried, renew))
    return underWay(presented, work).catch((error: unknown) => {
      throw error instanceof OAuthError ? error : busy(1, error)
    })
  }
}

interface KeyedHash extends SlowHash {
  /** The keyed digest of the client, the hash and the presented secret. */
  readonly name: string
}

/** Runs `compare` alone, when its turn comes, and charges the comparison unless it resolves to true. */
type InTurn = (comparison: Comparison, compare: (renew: () => void) => Promise<boolean>) => Promise<boolean>

function chargedTurns(options: SecretVerifierOptions): InTurn {
  const { clock = Date.now, clientAllowance = 2000, totalAllowance = 6000 } = options
  const budget = cpuBudget({ clock, clientAllowance, totalAllowance })
  const takeTurn = turns({
    clock,
    maxWaiting: MAX_WAITING,
    maxWaitMilliseconds: MAX_WAIT_MILLISECONDS,
    maxSilentMilliseconds: MAX_SILENT_MILLISECONDS,
  })
  return async (comparison, compare) => {
    const returns = budget.enter(comparison)
    const turn = await takeTurn(comparison.clientId, returns)
    if (turn === undefined) {
      budget.refund(comparison)
      throw budget.turnAway(comparison)
    }
    try {
      const result = await compare(turn.renew)
      if (result) budget.refund(comparison)
      else budget.fail(comparison)
      return result
    } finally {
      turn.end()
    }
  }
}

/**
 * Returns a function that names a text by a digest under a random key. The key never leaves this process or isolate, so the
 * remembered values are useless elsewhere.
 */
function keyedDigests(sha256: Sha256): (parts: readonly string[]) => string | Promise<string> {
  // Generated at the first use: Workers have no random values in the global scope.
  let key: string | undefined
  return (parts) => {
    key ??= encodeBase64url(crypto.getRandomValues(new Uint8Array(32)))
    return sha256(JSON.stringify([key, ...parts]))
  }
}

function refusalReason(registered: readonly ClientSecret[], kinds: Kinds, now: number): ClientReason {
  if (registered.length === 0) return 'secret_missing'
  const live = kinds.filter((_kind, index) => isLive(registered[index]?.expires_at ?? 0, now))
  if (live.length === 0) return 'secret_expired'
  return live.some((kind) => kind !== undefined) ? 'secret_wrong' : 'secret_hash_unknown'
}
