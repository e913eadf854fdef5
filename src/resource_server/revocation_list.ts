/** The issuer's list of revocations, kept and read offline. */

import { digestOf } from '../lib/digest.ts'
import { lru } from '../lib/lru.ts'
import { partiesOf } from '../tokens/parties.ts'
import { fetchText } from './documents.ts'
import type { ListProblem } from './events.ts'
import type { Issuer } from './issuer.ts'
import { type Refreshed, refreshed } from './refreshed.ts'
import type { RevocationChecks } from './revocation_checks.ts'
import { readHeader, verifySigned } from './signed.ts'
import type { VerifiedToken } from './token.ts'

/** A list of 100,000 entries has about 6 MB. */
const MAX_BYTES = 16 * 1024 * 1024

/** The issuer makes a list again when the last one is this old. */
const MAKING_SECONDS = 30

const DEFAULT_MAX_AGE_SECONDS = 60

/** Minimum time between two fetches. */
const PAUSE_SECONDS = 5

/** Hashes of client ids that are kept. */
const MAX_HASHES = 1000

export interface RevocationListOptions {
  /**
   * Age from which a list is not used without asking for a newer one: with the issuer reachable, a token is refused at most this long
   * after it was revoked, not counting the difference of the clocks. 60 seconds by default, at least 30.
   */
  readonly maxAgeSeconds?: number | undefined
  /**
   * What happens when the list has expired, five minutes after it was made, and no other can be fetched: `refuse` answers 503, by
   * default; `allow` goes on with the last list, or with none.
   */
  readonly onStaleList?: 'refuse' | 'allow' | undefined
}

/** A verified list. Instants are epoch seconds. */
interface List {
  readonly madeAt: number
  readonly expiresAt: number
  readonly revoked: ReadonlySet<unknown>
  readonly all: number
  /** Clients whose tokens are denied, by the hash of their id, and the last `iat` that is. */
  readonly cuts: ReadonlyMap<string, number>
  /** Signing keys that were revoked. */
  readonly kids: ReadonlySet<unknown>
}

type Members = Readonly<Record<string, unknown>>

/** Returns the check of the list that edgemint publishes at `revocations_uri`. */
export function revocationList(options: RevocationListOptions = {}): RevocationChecks {
  const { maxAgeSeconds = DEFAULT_MAX_AGE_SECONDS, onStaleList = 'refuse' } = options
  if (!(maxAgeSeconds >= MAKING_SECONDS)) throw new TypeError(`maxAgeSeconds: must be at least ${MAKING_SECONDS}`)
  return (issuer) => {
    const lists = keptLists(issuer, maxAgeSeconds)
    const isDenied = denials(issuer)
    return async (token, jws, waitUntil) => {
      const held = await lists.current(waitUntil)
      const isCurrent = held !== undefined && issuer.now() < held.value.expiresAt
      // A token that the last list denies is denied for good.
      if (held !== undefined && (await isDenied(token, jws, held.value))) return 'token_revoked'
      if (isCurrent) return undefined
      if (onStaleList === 'refuse') return 'revocations_unavailable'
      issuer.onEvent({ event: 'list_stale', ageSeconds: held && issuer.now() - held.madeAt })
      return undefined
    }
  }
}

function keptLists(issuer: Issuer, maxAgeSeconds: number): Refreshed<List> {
  let last = Number.NEGATIVE_INFINITY
  return refreshed<List>({
    async load() {
      const { revocations_uri } = await issuer.findMetadata()
      if (revocations_uri === undefined) throw new Error('the issuer publishes no list of revocations')
      const jws = await fetchText(issuer.fetch, revocations_uri, MAX_BYTES, { headers: { Accept: 'application/jwt' } })
      const list = await readList(jws, issuer, last)
      if (typeof list === 'string') {
        issuer.onEvent({ event: 'list_ignored', problem: list })
        return undefined
      }
      last = Math.max(last, list.madeAt)
      return list
    },
    madeAt: (list) => list.madeAt,
    refreshSeconds: maxAgeSeconds / 2,
    waitSeconds: maxAgeSeconds,
    pauseSeconds: PAUSE_SECONDS,
    now: issuer.now,
    onFailure: (cause) => issuer.onEvent({ event: 'fetch_failed', document: 'revocations', cause }),
  })
}

/** Returns a list that the issuer signed, or what is wrong with it. @param last when the newest list so far was made */
async function readList(jws: string, issuer: Issuer, last: number): Promise<List | ListProblem> {
  const claims = await verifySigned(jws.trim(), { types: ['revocations+jwt'], maxCharacters: MAX_BYTES }, issuer)
  if (typeof claims === 'string') return claims === 'token_malformed' ? 'malformed' : 'not_signed_by_issuer'
  const { iss, iat, exp, revoked, client_hashes, all, kids = [] } = claims
  if (iss !== issuer.issuer) return 'iss_wrong'
  const isComplete = typeof iat === 'number' && typeof exp === 'number' && typeof all === 'number'
  if (!isComplete || !Array.isArray(revoked) || !Array.isArray(kids)) return 'malformed'
  if (typeof client_hashes !== 'object' || client_hashes === null) return 'malformed'
  const cuts = Object.entries(client_hashes as Members)
  if (!cuts.every((cut): cut is [string, number] => typeof cut[1] === 'number')) return 'malformed'
  if (exp <= issuer.now()) return 'expired'
  if (iat > issuer.now() + issuer.clockSkewSeconds) return 'not_yet_valid'
  if (iat < last) return 'older'
  return { madeAt: iat, expiresAt: exp, revoked: new Set(revoked), all, cuts: new Map(cuts), kids: new Set(kids) }
}

/** Returns the check of a verified token: it, its key, and its parties. */
function denials(issuer: Issuer): (token: VerifiedToken, jws: string, list: List) => Promise<boolean> {
  const hashes = lru<string>(MAX_HASHES)
  const hashOf = async (name: string): Promise<string> => {
    const hash = hashes.get(name) ?? (await digestOf(name))
    hashes.set(name, hash)
    return hash
  }
  return async ({ id, issuedAt, claims }, jws, { revoked, all, cuts, kids }) => {
    if (revoked.has(id) || issuedAt <= all) return true
    if (kids.size > 0 && kids.has(readHeader(jws.split('.', 1)[0], issuer)?.['kid'])) return true
    if (cuts.size === 0) return false
    const parties = await Promise.all(partiesOf(claims).map(hashOf))
    return parties.some((hash) => issuedAt <= (cuts.get(hash) ?? Number.NEGATIVE_INFINITY))
  }
}
