/**
 * A budget of CPU time for wrong secrets, per client and for all clients together. The server cannot distinguish a right secret
 * from a wrong one before the comparison, so it charges each comparison in advance and refunds the charge of a right secret.
 */

import { type OAuthError, temporarilyUnavailable } from '../errors.ts'
import { lru } from '../lib/lru.ts'

/** The long-term share of the CPU time for wrong secrets of one client. */
const CLIENT_SHARE = 1 / 8

/** The long-term share for all clients together. */
const TOTAL_SHARE = 1 / 4

/** A client that had no wrong secret for this long does not wait for the cost of guesses at other clients. */
const QUIET_MILLISECONDS = 60_000

/** Clients whose charges are remembered. A forgotten client starts with a full allowance; the total still applies. */
const MAX_CLIENTS = 1000

/** Enough to recognize a secret that comes back after a second, among thousands of guesses. */
const MAX_TURNED_AWAY = 8192

/** A secret that comes back sooner has not waited and gains nothing. `Retry-After` is at least one second. */
const MIN_WAIT_MILLISECONDS = 900

/** An allowance suffices for at least this many comparisons, however slow they are. */
const MIN_COMPARISONS = 4

/** The comparison of a presented secret. */
export interface Comparison {
  readonly clientId: string
  /** Identifies the client and the secret. */
  readonly presented: string
  readonly costMilliseconds: number
}

/** A budget of CPU time for the comparison of secrets. */
export interface CpuBudget {
  /**
   * Charges a comparison. Returns how often its secret has waited and come back.
   *
   * @throws OAuthError `temporarily_unavailable` when too little is left
   */
  enter(comparison: Comparison): number
  /** Refunds the charge of a right secret. */
  refund(comparison: Comparison): void
  /** Notes that a secret was wrong. */
  fail(comparison: Comparison): void
  /** Returns the refusal of a secret that is not compared now; `Retry-After` is when the budget will suffice. */
  turnAway(comparison: Comparison): OAuthError
}

export interface CpuBudgetOptions {
  /** Returns milliseconds. */
  readonly clock: () => number
  /** Milliseconds that wrong secrets of one client may use in a burst. */
  readonly clientAllowance: number
  /** Milliseconds for all clients together. */
  readonly totalAllowance: number
}

/** A secret that was turned away. */
interface TurnedAway {
  /** Number of times it had waited and come back. */
  readonly returns: number
  readonly at: number
}

/**
 * Returns a budget with an account for each client and one for all. The account for all counts only for clients that had a wrong
 * secret lately: guesses at some clients must not keep the others out.
 *
 * Half of each allowance is reserved for secrets that wait and come back after they were turned away, half of that half for
 * those that come back again, and so on. Guesses that are sent once therefore leave enough for a client that tries again.
 */
export function cpuBudget({ clock, clientAllowance, totalAllowance }: CpuBudgetOptions): CpuBudget {
  const ofClient = accounts(clientAllowance, CLIENT_SHARE, MAX_CLIENTS, clock)
  const ofAll = accounts(totalAllowance, TOTAL_SHARE, 1, clock)
  const turnedAway = lru<TurnedAway>(MAX_TURNED_AWAY)
  const failedAt = lru<number>(MAX_CLIENTS)
  const isQuiet = (clientId: string): boolean => clock() - (failedAt.get(clientId) ?? NEVER) >= QUIET_MILLISECONDS

  const millisecondsUntilOpen = ({ clientId, costMilliseconds }: Comparison, returns: number): number => {
    const reserved = 1 / 2 ** (returns + 1)
    const minimum = costMilliseconds * MIN_COMPARISONS
    const own = ofClient.millisecondsUntil(clientId, reserved, minimum)
    return isQuiet(clientId) ? own : Math.max(own, ofAll.millisecondsUntil(ALL, reserved, minimum))
  }

  const hasWaited = ({ at }: TurnedAway): boolean => clock() - at >= MIN_WAIT_MILLISECONDS

  const returnsOf = (presented: string): number => {
    const before = turnedAway.get(presented)
    return before === undefined ? 0 : before.returns + (hasWaited(before) ? 1 : 0)
  }

  const turnAway = (comparison: Comparison): OAuthError => {
    const { presented } = comparison
    const before = turnedAway.get(presented)
    const returns = returnsOf(presented)
    if (before === undefined || hasWaited(before)) turnedAway.set(presented, { returns, at: clock() })
    return busy(Math.max(1, Math.ceil(millisecondsUntilOpen(comparison, returns + 1) / 1000)))
  }

  const charge = (clientId: string, milliseconds: number): void => {
    ofClient.charge(clientId, milliseconds)
    ofAll.charge(ALL, milliseconds)
  }

  return {
    enter(comparison) {
      const returns = returnsOf(comparison.presented)
      if (millisecondsUntilOpen(comparison, returns) > 0) throw turnAway(comparison)
      charge(comparison.clientId, comparison.costMilliseconds)
      return returns
    },
    refund: ({ clientId, costMilliseconds }) => charge(clientId, -costMilliseconds),
    fail: ({ clientId }) => failedAt.set(clientId, clock()),
    turnAway,
  }
}

/** Returns the refusal of a secret that the server has no time to compare. */
export function busy(retryAfterSeconds: number, cause?: unknown): OAuthError {
  const text = 'Too many secrets are being checked at the moment.'
  return temporarilyUnavailable('comparisons_busy', text, cause, retryAfterSeconds)
}

const NEVER = Number.NEGATIVE_INFINITY

/** The key of the one account for all clients. */
const ALL = 'all'

interface Accounts {
  charge(key: string, milliseconds: number): void
  /** Returns the milliseconds until `part` of the allowance is left, 0 when it is. The allowance is at least `minimum`. */
  millisecondsUntil(key: string, part: number, minimum: number): number
}

/** Returns accounts that each start with an allowance, may be overdrawn, and are refilled with a share of the elapsed time. */
function accounts(allowance: number, share: number, maxAccounts: number, clock: () => number): Accounts {
  const paidOffAt = lru<number>(maxAccounts)
  return {
    charge(key, milliseconds) {
      paidOffAt.set(key, Math.max(paidOffAt.get(key) ?? 0, clock()) + milliseconds / share)
    },
    millisecondsUntil(key, part, minimum) {
      const spendable = Math.max(allowance, minimum) * (1 - part)
      return Math.max(0, (paidOffAt.get(key) ?? 0) - clock() - spendable / share)
    },
  }
}
