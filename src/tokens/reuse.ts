/**
 * Tokens that are handed out again while they are young. They are held in the memory of this process or isolate only: a store of
 * tokens would be a token table.
 */

import { lru } from '../lib/lru.ts'
import { ownText } from '../lib/own_text.ts'
import { singleFlight } from '../lib/single_flight.ts'
import { TimeoutError } from '../lib/within.ts'
import { splitScope } from '../policy/scope.ts'
import type { AccessToken } from './access_token.ts'
import { partiesOf } from './parties.ts'

/** By default each request gets a new token. */
export const DEFAULT_REUSE_SECONDS = 0

/** Upper limit of every setting. */
export const MAX_REUSE_SECONDS = 300

/** A token is not reused after this part of its lifetime, so no client receives one that is about to expire. */
const REUSED_PART = 1 / 4

const MAX_HELD = 10_000

/** Larger tokens are not held, so that all held tokens take at most 40 MiB. */
const MAX_HELD_CHARACTERS = 4096

/** Clients whose latest cut is remembered. */
const MAX_CUTS = 20_000

/** Time that a caller waits for a signature that another caller began. */
const SHARED_SECONDS = 3

/** An access token and its content. */
export interface SignedToken {
  readonly jwt: string
  readonly accessToken: AccessToken
}

/** One denied token, or the tokens of one client or of all clients whose `iat` is `before` or earlier. */
export type Denial = { readonly jti: string } | { readonly before: number; readonly client_id?: string | undefined }

/** Tokens that can be reused. */
export interface TokenReuse {
  /**
   * Returns one key for all requests that may receive the same token. Tokens that are bound in another way, or that rest on other
   * records, have other keys.
   *
   * @param records what the token rests on: the client, its resource servers, the signing key. What has changed is another object
   */
  keyOf(token: Omit<AccessToken, 'id'>, profile: string, records: readonly object[]): string
  /**
   * Returns the token held under `key` if it is at most `seconds` old, otherwise the one that `sign` returns, which is then held.
   * Concurrent callers share one call of `sign`.
   *
   * @param key names everything that shapes the token; from `keyOf`
   * @param now epoch seconds
   */
  issue(key: string, seconds: number, now: number, sign: () => Promise<SignedToken>): Issued | Promise<Issued>
  /** Drops the tokens that are denied. Tokens issued later, but before the end of a cut, are not held either. */
  drop(denial: Denial): void
}

/** A token to be returned. */
export interface Issued {
  readonly signed: SignedToken
  /** Whether it was signed for another request. */
  readonly isReused: boolean
}

/** Returns an empty memory of tokens. */
export function tokenReuse(): TokenReuse {
  const held = heldTokens()
  const signing = singleFlight<SignedToken>(SHARED_SECONDS)
  const cuts = lru<number>(MAX_CUTS)
  let cutOfAll = -1
  const isDenied = ({ issuer: iss, clientId: client_id, subject: sub, actor: act, issuedAt }: AccessToken): boolean =>
    issuedAt <= cutOfAll || partiesOf({ iss, client_id, sub, act }).some((name) => issuedAt <= (cuts.get(name) ?? -1))

  const signOnce = async (key: string, sign: () => Promise<SignedToken>): Promise<Issued> => {
    let isReused = true
    const signAndHold = async (): Promise<SignedToken> => {
      isReused = false
      const signed = await sign()
      if (!isDenied(signed.accessToken)) held.add(key, signed)
      return signed
    }
    try {
      return { signed: await signing(key, signAndHold), isReused }
    } catch (error) {
      // On Workers the request that signs may be cancelled; then each of the others signs for itself.
      if (isReused && error instanceof TimeoutError) return { signed: await sign(), isReused: false }
      throw error
    }
  }

  return {
    keyOf: reuseKeys(),
    issue(key, seconds, now, sign) {
      const signed = held.find(key)
      const isFound = signed !== undefined && isYoung(signed, now, seconds)
      return isFound ? { signed, isReused: true } : signOnce(key, sign)
    },
    drop(denial) {
      if ('jti' in denial) return held.dropId(denial.jti)
      const { before, client_id } = denial
      if (client_id === undefined) cutOfAll = Math.max(cutOfAll, before)
      else cuts.set(client_id, Math.max(cuts.get(client_id) ?? -1, before))
      held.dropAll(isDenied)
    },
  }
}

/** False when the token is from the future: a clock that was set back must not extend anything. */
function isYoung({ accessToken: { issuedAt } }: SignedToken, now: number, seconds: number): boolean {
  return issuedAt <= now && now - issuedAt <= seconds
}

interface HeldTokens {
  find(key: string): SignedToken | undefined
  add(key: string, token: SignedToken): void
  dropId(jti: string): void
  dropAll(isDropped: (token: AccessToken) => boolean): void
}

/** In the order in which they were signed, the order in which they become too old: the oldest makes room for a new one. */
function heldTokens(): HeldTokens {
  const tokens = new Map<string, SignedToken>()
  const keys = new Map<string, string>()
  const drop = (key: string): void => {
    const token = tokens.get(key)
    if (token === undefined) return
    tokens.delete(key)
    keys.delete(token.accessToken.id)
  }
  return {
    find: (key) => tokens.get(key),
    add(key, token) {
      drop(key)
      if (token.jwt.length > MAX_HELD_CHARACTERS) return
      const name = ownText(key)
      tokens.set(name, compact(token))
      keys.set(token.accessToken.id, name)
      const tooOld = token.accessToken.issuedAt - MAX_REUSE_SECONDS
      for (const [oldest, { accessToken }] of tokens) {
        if (tokens.size <= MAX_HELD && accessToken.issuedAt >= tooOld) break
        drop(oldest)
      }
    },
    dropId: (jti) => drop(keys.get(jti) ?? ''),
    dropAll(isDropped) {
      for (const [key, { accessToken }] of tokens) if (isDropped(accessToken)) drop(key)
    },
  }
}

/** Returns the same token, of which no text is a part of the request's body. */
function compact({ jwt, accessToken }: SignedToken): SignedToken {
  return { jwt, accessToken: { ...accessToken, scopes: splitScope(ownText(accessToken.scopes.join(' '))) } }
}

/** Returns the greatest age, in seconds, at which a token of this lifetime is reused. */
export function reuseSecondsOf(setting: number, lifetimeSeconds: number): number {
  return Math.min(setting, MAX_REUSE_SECONDS, Math.floor(lifetimeSeconds * REUSED_PART))
}

/** Returns the `keyOf` of one memory. */
function reuseKeys(): TokenReuse['keyOf'] {
  const numbers = new WeakMap<object, number>()
  let count = 0
  const numberOf = (record: object): number => {
    const known = numbers.get(record)
    if (known !== undefined) return known
    numbers.set(record, ++count)
    return count
  }
  return (token, profile, records) => {
    const { issuer, subject, clientId, scopes, resources, cnf, actor, issuedAt, expiresAt } = token
    // Neither a URL nor a scope holds a space, so that no two contents have the same text.
    const content = `${issuer} ${profile} ${expiresAt - issuedAt} ${listed(scopes)} ${listed(resources)}`
    const others =
      subject === clientId && actor === undefined && isEmpty(cnf) ? '' : JSON.stringify([subject, actor, cnf])
    return `${records.map(numberOf).join()} ${content} ${others}`
  }
}

function listed(values: readonly string[]): string {
  return values.length < 2 ? values.join() : JSON.stringify([...values].sort())
}

function isEmpty(members: object): boolean {
  for (const _name in members) return false
  return true
}
