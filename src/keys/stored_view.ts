/** Which of the stored and static keys sign and which are published at an instant. */

import { type KeyState, keyState, replacedAt } from './key_set.ts'
import { eachName, type KeySet } from './keyring.ts'
import type { SigningKey } from './signing_key.ts'
import type { OpenedKey, StoredKey } from './stored_set.ts'

/** The state of a key, for the operator. Instants are epoch seconds. */
export interface KeyStatus {
  readonly kid: string
  readonly alg: string
  readonly state: KeyState
  /** `static` for a key of SIGNING_KEYS. */
  readonly source: 'stored' | 'static'
  readonly signs_from: number
  readonly created_at?: number
  /** Absent while it has no successor. */
  readonly published_until?: number
  /** Id of the key-encryption key. */
  readonly kek?: string | undefined
  readonly undecryptable?: boolean
  /** Whether it has signed for longer than a period without a successor. */
  readonly overdue?: boolean
}

/** A key in one list with all others of its issuer. */
type Entry = Pick<OpenedKey, 'key' | 'canSign'> & Partial<Pick<OpenedKey, 'stored'>>

export interface ViewOptions {
  /** Time for which a key is published after its successor began to sign. */
  readonly keepSeconds: number
  /** Longest life of a token, and the skew of clocks. */
  readonly lifeSeconds: number
  /** Of stored keys, the preferred one first. */
  readonly algorithms: readonly string[]
}

/** All keys at one instant. */
export interface StoredView extends KeySet {
  readonly statuses: readonly KeyStatus[]
}

/**
 * Returns the keys at an instant. Of one algorithm, the key that started last signs, wherever it comes from. When it cannot be decrypted, an
 * earlier one signs as long as it is published until the last of its tokens has expired. When no key that has started can sign, the next
 * announced one does: a process whose clock is behind, or whose store lost a key, is better off with it than with none. The default is
 * the preferred algorithm of the stored keys or that of the static keys, whichever key started later.
 *
 * That a private half can be decrypted proves that this server made the key, because the encryption covers the `kid`, a thumbprint. A
 * stored key without this proof is published only while no stored key has it, which is what a wrong key-encryption key looks like.
 */
export function viewAt(
  stored: readonly OpenedKey[],
  fixed: readonly SigningKey[],
  now: number,
  { keepSeconds, lifeSeconds, algorithms }: ViewOptions,
): StoredView {
  const entries: Entry[] = [...stored, ...fixed.map((key) => ({ key, canSign: true }))]
  const keys = entries.map(({ key }) => key)
  const stateOf = ({ key }: Pick<Entry, 'key'>): KeyState => keyState(key, keys, now, keepSeconds)
  const untilOf = ({ key }: Entry): number => (replacedAt(key, keys) ?? Number.POSITIVE_INFINITY) + keepSeconds
  const maySign = (entry: Entry): boolean =>
    entry.canSign && (stateOf(entry) === 'signing' || entry.stored === undefined || now + lifeSeconds <= untilOf(entry))
  const started = entries.filter((entry) => entry.key.signsFrom <= now && maySign(entry))
  const able = started.length > 0 ? started : stored.filter(maySign)
  const distance = ({ key }: Entry): number => Math.abs(now - key.signsFrom)
  const find = eachName((alg) =>
    able
      .filter(({ key }) => key.alg === alg)
      .sort((one, other) => distance(one) - distance(other))
      .at(0),
  )
  const current = entries.filter((entry) => stateOf(entry) !== 'expired' || find(entry.key.alg) === entry)
  const hasProof = stored.some(({ canSign }) => canSign)
  const published = current.filter(({ canSign }) => canSign || !hasProof)
  return {
    signing: eachName((alg) => (alg === undefined ? preferred(find, algorithms, entries) : find(alg))?.key),
    verifying: (kid) => published.find(({ key }) => key.kid === kid)?.key,
    published: { keys: published.map(({ key }) => key.publicJwk) },
    isUnreadable: current.some((entry) => !entry.canSign && stateOf(entry) !== 'retired'),
    statuses: current.map((entry) => statusOf(entry, stateOf(entry), untilOf(entry))),
  }
}

/** Returns the stored key of the preferred algorithm or the first static key, whichever started later. */
function preferred(
  find: (alg: string) => Entry | undefined,
  algorithms: readonly string[],
  entries: readonly Entry[],
): Entry | undefined {
  const algs = new Set([...algorithms, ...entries.map(({ key }) => key.alg)])
  const signing = [...algs].map(find).filter((entry) => entry !== undefined)
  const ours = signing.find(({ stored }) => stored !== undefined)
  const order = entries.filter(({ stored }) => stored === undefined)
  const theirs = order.find((entry) => signing.includes(entry))
  if (ours === undefined || theirs === undefined) return ours ?? theirs
  return theirs.key.signsFrom > ours.key.signsFrom ? theirs : ours
}

function statusOf({ key, stored, canSign }: Entry, state: KeyState, until: number): KeyStatus {
  const { kid, alg, signsFrom: signs_from } = key
  const status = { kid, alg, state, signs_from, ...(Number.isFinite(until) && { published_until: until }) }
  if (stored === undefined) return { ...status, source: 'static' }
  const { created_at, private: wrapped } = stored
  const undecryptable = canSign ? {} : { undecryptable: true }
  return { ...status, source: 'stored', created_at, kek: wrapped?.kek, ...undecryptable }
}

/** Returns the status of a stored key that is not what its `kid` says. It is not published, and can only be revoked. */
export function unusableStatus(
  { kid, alg, signs_from, created_at, private: wrapped }: StoredKey,
  now: number,
): KeyStatus {
  const state = signs_from > now ? 'announced' : 'retired'
  return { kid, alg, state, source: 'stored', signs_from, created_at, kek: wrapped?.kek, undecryptable: true }
}
