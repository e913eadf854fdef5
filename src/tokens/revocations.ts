/**
 * Denials of tokens whose signature is still valid: of a single token, of all tokens of a client, or of all tokens. Tokens are
 * not stored, so a denial is a level of the ledger, kept until the last token that it denies would have expired.
 */

import { temporarilyUnavailable } from '../errors.ts'
import { encodeBase64url } from '../lib/base64url.ts'
import type { Ledger, Level } from '../stores/contracts.ts'
import { MAX_TOKEN_LIFETIME_SECONDS } from './access_token.ts'
import type { OwnToken } from './own_token.ts'
import type { Denial } from './reuse.ts'

/** Family of the levels of single tokens: `revoked:{jti}`, whose value is 1. */
const REVOKED = 'revoked'

/** Family of the cuts: `cut:{hash of the client_id}`, whose value is the last `iat` that is denied. */
const CUT = 'cut'

/** Family of the revoked signing keys: `revoked-key:{kid}`, whose value is 1. */
const REVOKED_KEY = 'revoked-key'

/** The cut of all clients. It cannot collide with that of a client: a hash is longer. */
const EVERY_CLIENT = `${CUT}:all`

/** Allowed difference between the clocks of two servers of one issuer. */
const CLOCK_SKEW_SECONDS = 30

/** A denial is kept this much longer than its tokens live, for verifiers whose clocks are behind. */
const SLACK_SECONDS = 60

/** Maximum entries of a list. Introspection has no such limit. */
const MAX_LISTED = 100_000

/** Tokens that a client may revoke one by one within the lifetime of a token. Each further revocation denies the earlier tokens as well. */
const MAX_REVOKED_PER_CLIENT = 2000

/** All current denials. Instants are epoch seconds. */
export interface Denied {
  /** The `jti` of each revoked token. */
  readonly revoked: readonly string[]
  /** By {@link hashClientId}: tokens are denied whose client, subject or actor it is, and whose `iat` is this instant or earlier. */
  readonly client_hashes: Readonly<Record<string, number>>
  /** Tokens of all clients are denied whose `iat` is this instant or earlier; 0 for none. */
  readonly all: number
  /** The `kid` of each revoked signing key, whose tokens are all denied. Absent for none. */
  readonly kids?: readonly string[]
}

/** Result of a revocation. With `cutAt`, all tokens of the client issued until that instant are denied. */
export type Revoked = { readonly cutAt?: number }

/** The denials of an issuer. Each function rejects with OAuthError `temporarily_unavailable` when the ledger fails. */
export interface Revocations {
  /** Denies a token, or all tokens of its client issued until then once that client has revoked too many. */
  revoke(token: Pick<OwnToken, 'jti' | 'exp' | 'client_id' | 'iat' | 'kid' | 'parties'>): Promise<Revoked>
  /**
   * Denies the tokens issued until an instant, of one client or of all; those too in which the client is the subject or an actor.
   * Because clocks differ, tokens issued up to 30 seconds later are denied as well. Returns the last `iat` that is denied.
   */
  cut(until: number, client_id?: string): Promise<number>
  /** Denies the tokens of a client that is disabled or deleted now, including those that are still issued from a cached record. */
  end(client_id: string, now: number): Promise<void>
  /** Denies all tokens that a signing key has signed or will sign. */
  denyKey(kid: string, now: number): Promise<void>
  isRevoked(token: Pick<OwnToken, 'jti' | 'iat' | 'kid' | 'parties'>): Promise<boolean>
  /**
   * Returns all current denials.
   *
   * @throws OAuthError `temporarily_unavailable` also when there are too many for a list
   */
  list(): Promise<Denied>
}

export interface RevocationsOptions {
  /** The longest lifetime of a token under the current settings. */
  readonly lifetimeSeconds: number
  /** The longest time for which a process or isolate uses a record after it was changed elsewhere. */
  readonly staleSeconds: number
  /** Receives each denial that this process or isolate makes, before it is stored. */
  onDeny?(denial: Denial): void
}

/** Returns a function that reports whether a ledger denies a token. */
export function revokedIn(ledger: Ledger): Revocations['isRevoked'] {
  return async ({ jti, iat, kid, parties }) => {
    const cutKeys = [EVERY_CLIENT, ...(await Promise.all(parties.map(cutOf)))]
    const marks = [`${REVOKED}:${jti}`, ...(kid === undefined ? [] : [`${REVOKED_KEY}:${kid}`])]
    const read = (names: readonly string[]) => Promise.all(names.map((name) => ledger.get(name)))
    const [cuts, marked] = await Promise.all([read(cutKeys), read(marks)])
    // Not `iat <= cut`: a cut that is no number must deny.
    return marked.some((mark) => mark !== undefined) || cuts.some((cut) => !(iat > Number(cut ?? -1)))
  }
}

/** Returns the denials that a ledger holds. */
export function revocations(ledger: Ledger, options: RevocationsOptions): Revocations {
  const { lifetimeSeconds, staleSeconds, onDeny = () => undefined } = options
  /** @param before the last `iat` that is denied */
  const raise = async (before: number, client_id?: string): Promise<number> => {
    onDeny({ before, client_id })
    const key = client_id === undefined ? EVERY_CLIENT : await cutOf(client_id)
    // The longest possible lifetime, not the current setting: older tokens may have been issued under another setting.
    return ledger.raise(key, before, before + MAX_TOKEN_LIFETIME_SECONDS + SLACK_SECONDS)
  }
  const cut: Revocations['cut'] = (until, client_id) => raise(until + CLOCK_SKEW_SECONDS, client_id)
  const isRevoked = revokedIn(ledger)
  return {
    async revoke(token) {
      const { jti, exp, client_id, iat } = token
      onDeny({ jti })
      if (await isRevoked(token)) return {}
      const count = await ledger.count(`revoking:${client_id}`, lifetimeSeconds + SLACK_SECONDS)
      if (count > MAX_REVOKED_PER_CLIENT) return { cutAt: await raise(iat, client_id) }
      await ledger.raise(`${REVOKED}:${jti}`, 1, exp + SLACK_SECONDS)
      return {}
    },
    cut,
    async end(client_id, now) {
      await cut(now + staleSeconds, client_id)
    },
    async denyKey(kid, now) {
      await ledger.raise(`${REVOKED_KEY}:${kid}`, 1, now + staleSeconds + MAX_TOKEN_LIFETIME_SECONDS + SLACK_SECONDS)
    },
    isRevoked,
    async list() {
      const cuts = new Map((await levelsOf(ledger, CUT)).map(({ key, value }) => [key, value]))
      const all = cuts.get(EVERY_CLIENT) ?? 0
      cuts.delete(EVERY_CLIENT)
      const revoked = new Set((await levelsOf(ledger, REVOKED)).map(({ key }) => idOf(key)))
      const client_hashes = Object.fromEntries([...cuts].map(([key, value]) => [idOf(key), value]))
      const kids = (await levelsOf(ledger, REVOKED_KEY)).map(({ key }) => idOf(key))
      return { revoked: [...revoked], client_hashes, all, ...(kids.length > 0 && { kids: [...new Set(kids)] }) }
    },
  }
}

/** Returns the name of a client in the public list: the base64url of the SHA-256 of its client_id. */
export async function hashClientId(client_id: string): Promise<string> {
  return encodeBase64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(client_id))))
}

async function cutOf(client_id: string): Promise<string> {
  return `${CUT}:${await hashClientId(client_id)}`
}

function idOf(key: string): string {
  return key.slice(key.indexOf(':') + 1)
}

/** Returns all levels of a family or rejects: an incomplete list would let denied tokens through. */
async function levelsOf(ledger: Ledger, family: string): Promise<readonly Level[]> {
  const levels: Level[] = []
  for await (const page of ledger.list(family)) {
    levels.push(...page)
    if (levels.length > MAX_LISTED) break
  }
  if (levels.length <= MAX_LISTED) return levels
  throw temporarilyUnavailable('revocations_too_many', 'There are too many revocations for a list; use introspection.')
}
