/** Which of the stored and static keys sign and which are published at an instant. */

import { type KeyState, keyState, replacedAt } from './key_set.ts'
import { eachName, type KeySet } from './keyring.ts'
import type { SigningKey } from './signing_key.ts'
import type { OpenedKey } from './stored_set.ts'

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
type Entry = Pick<OpenedKey, 'key' | 'canSign' | 'isUndecryptable'> & Partial<Pick<OpenedKey, 'stored'>>

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
  /** Stored keys that should sign now or later and cannot be decrypted. */
  readonly undecryptable: readonly OpenedKey[]
}

/**
 * Returns the keys at an instant. Of one algorithm, the key that started last signs, wherever it comes from. When it cannot be decrypted, an
 * earlier one signs as long as it is published until the last of its tokens has expired. The default is the preferred algorithm of the
 * stored keys or that of the static keys, whichever key started later.
 */
export function viewAt(
  stored: readonly OpenedKey[],
  fixed: readonly SigningKey[],
  now: number,
  { keepSeconds, lifeSeconds, algorithms }: ViewOptions,
): StoredView {
  const entries: Entry[] = [...stored, ...fixed.map((key) => ({ key, canSign: true, isUndecryptable: false }))]
  const keys = entries.map(({ key }) => key)
  const stateOf = ({ key }: Pick<Entry, 'key'>): KeyState => keyState(key, keys, now, keepSeconds)
  const untilOf = ({ key }: Entry): number => (replacedAt(key, keys) ?? Number.POSITIVE_INFINITY) + keepSeconds
  const maySign = (entry: Entry): boolean =>
    entry.canSign && (stateOf(entry) === 'signing' || entry.stored === undefined || now + lifeSeconds <= untilOf(entry))
  const find = eachName((alg) =>
    entries
      .filter((entry) => entry.key.alg === alg && entry.key.signsFrom <= now && maySign(entry))
      .sort((one, other) => other.key.signsFrom - one.key.signsFrom)
      .at(0),
  )
  const published = entries.filter((entry) => stateOf(entry) !== 'expired' || find(entry.key.alg) === entry)
  const isCurrent = (each: OpenedKey): boolean => ['announced', 'signing'].includes(stateOf(each))
  const undecryptable = stored.filter((each) => each.isUndecryptable && isCurrent(each))
  return {
    signing: eachName((alg) => (alg === undefined ? preferred(find, algorithms, entries) : find(alg))?.key),
    verifying: (kid) => published.find(({ key }) => key.kid === kid)?.key,
    published: { keys: published.map(({ key }) => key.publicJwk) },
    undecryptable,
    isUnreadable: undecryptable.length > 0,
    statuses: published.map((entry) => statusOf(entry, stateOf(entry), untilOf(entry))),
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

function statusOf({ key, stored, isUndecryptable }: Entry, state: KeyState, until: number): KeyStatus {
  const { kid, alg, signsFrom: signs_from } = key
  const status = { kid, alg, state, signs_from, ...(Number.isFinite(until) && { published_until: until }) }
  if (stored === undefined) return { ...status, source: 'static' }
  const { created_at, private: wrapped } = stored
  const undecryptable = isUndecryptable ? { undecryptable: true } : {}
  return { ...status, source: 'stored', created_at, kek: wrapped?.kek, ...undecryptable }
}
