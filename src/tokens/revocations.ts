/** What is denied of tokens that nobody stores: single ones, all of a client, all. Kept until they would have expired. */

import { temporarilyUnavailable } from '../errors.ts'
import type { Ledger } from '../stores/contracts.ts'
import type { OwnToken } from './own_token.ts'

const REVOKED = 'revoked:'
const CUT = 'cut:'

/** No client has this id: it is not of ASCII characters. */
const EVERYBODY = '\u2217'

/** Beyond the life of a token, for clocks that are late. */
const SKEW_SECONDS = 60

/** A list of more is not made: who has so many asks for each token instead. */
const MAX_LISTED = 100_000

/** All that is denied now. Instants are epoch seconds. */
export interface Denied {
  /** Ids of tokens. */
  readonly revoked: readonly string[]
  /** Tokens of a client issued at its instant or sooner. */
  readonly clients: Readonly<Record<string, number>>
  /** Tokens of anybody issued then or sooner; 0 for none. */
  readonly all: number
}

/** Rejects with OAuthError `temporarily_unavailable` when the ledger cannot be reached. */
export interface Revocations {
  revoke(token: Pick<OwnToken, 'jti' | 'exp'>): Promise<void>
  /** Denies what was issued up to an instant, of one client or, without a client, of all. */
  cut(before: number, client_id?: string): Promise<void>
  isRevoked(token: OwnToken): Promise<boolean>
  list(): Promise<Denied>
}

/** @param lifetimeSeconds how long a token may live at most */
export function revocations(ledger: Ledger, lifetimeSeconds: number): Revocations {
  return {
    async revoke({ jti, exp }) {
      await reached(ledger.add(REVOKED + jti, '', exp + SKEW_SECONDS))
    },
    async cut(before, client_id = EVERYBODY) {
      const key = CUT + client_id
      const expiresAt = before + lifetimeSeconds + SKEW_SECONDS
      const stands = async (): Promise<boolean> => Number((await reached(ledger.get(key))) ?? 0) >= before
      // The latest of several at once has to be the one that stays.
      while (!(await stands())) {
        await reached(ledger.delete(key))
        await reached(ledger.add(key, String(before), expiresAt))
      }
    },
    async isRevoked({ jti, client_id, iat }) {
      const [revoked, ofClient, ofAll] = await reached(
        Promise.all([REVOKED + jti, CUT + client_id, CUT + EVERYBODY].map((key) => ledger.get(key))),
      )
      return revoked !== undefined || iat <= Number(ofClient ?? -1) || iat <= Number(ofAll ?? -1)
    },
    async list() {
      const [revoked, cuts] = await reached(
        Promise.all([ledger.list(REVOKED, MAX_LISTED), ledger.list(CUT, MAX_LISTED)]),
      )
      if (revoked.length >= MAX_LISTED) {
        throw temporarilyUnavailable(
          'revocations_too_many',
          'There are too many revocations for a list; use introspection.',
        )
      }
      const before = cuts.map(({ key, value }) => [key.slice(CUT.length), Number(value)] as const)
      return {
        revoked: revoked.map(({ key }) => key.slice(REVOKED.length)),
        clients: Object.fromEntries(before.filter(([client_id]) => client_id !== EVERYBODY)),
        all: new Map(before).get(EVERYBODY) ?? 0,
      }
    },
  }
}

function reached<T>(operation: Promise<T>): Promise<T> {
  return operation.catch((cause: unknown) => {
    throw temporarilyUnavailable('store_failed', 'The ledger of revocations cannot be reached.', cause)
  })
}
