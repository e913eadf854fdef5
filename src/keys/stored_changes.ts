/** Changes of an issuer's stored keys. Each compares what it read with what it replaces, so that of many processes one succeeds. */

import { conflict, notFound, recordTooLarge } from '../errors.ts'
import type { Emit, ServerEvent } from '../events/events.ts'
import { MAX_OCTETS, readLatest } from '../records/change.ts'
import type { Registry } from '../stores/contracts.ts'
import type { KeyEncryptionKeys } from './key_encryption.ts'
import { type PlanOptions, plan } from './rotation_plan.ts'
import {
  formatKeySet,
  generateStoredKey,
  keySetKey,
  openStoredKey,
  parseKeySet,
  rewrapStoredKey,
  type StoredKey,
} from './stored_set.ts'

const ATTEMPTS = 5

export interface ChangeOptions {
  readonly issuer: string
  readonly registry: Registry
  /** Called when a key is encrypted or decrypted, never at start: it may need the network. */
  readonly keyEncryptionKeys: () => Promise<KeyEncryptionKeys>
  readonly plan: PlanOptions
  readonly emit: Emit
}

/** Instants are epoch seconds. Each function rejects with OAuthError `temporarily_unavailable` when the store fails. */
export interface KeyChanges {
  /** Makes and drops what is due. Does nothing while a current key cannot be decrypted. */
  rotate(now: number): Promise<void>
  /**
   * Has the announced keys sign at once, of one algorithm or of all.
   *
   * @param settledSeconds age from which every verifier knows an announced key
   * @throws OAuthError `conflict` when there is no such key, it is younger, or it cannot be decrypted
   */
  advance(now: number, settledSeconds: number, alg?: string): Promise<void>
  /** Removes a key; if it signed, the announced one takes over. @throws OAuthError `not_found` */
  revoke(now: number, kid: string): Promise<void>
  /** Encrypts all keys under the first key-encryption key. Returns how many were changed, and how many cannot be decrypted. */
  rewrap(): Promise<{ readonly rewrapped: number; readonly undecryptable: number }>
}

/** What a change writes, and the events that report it. */
interface Change {
  readonly keys: readonly StoredKey[]
  readonly events: readonly ServerEvent[]
}

export function keyChanges(options: ChangeOptions): KeyChanges {
  const { issuer, keyEncryptionKeys } = options
  const change = changer(options)
  const open = async (key: StoredKey) => openStoredKey(issuer, key, await keyEncryptionKeys())
  const openAll = (keys: readonly StoredKey[]) => Promise.all(keys.map(open))
  return {
    async rotate(now) {
      const made = new Map<string, Promise<StoredKey>>()
      await change((keys) => rotated(keys, now, options, made))
    },
    advance: (now, settledSeconds, alg) =>
      change(async (keys) => {
        const next = nextOf(keys, now).filter((key) => alg === undefined || key.alg === alg)
        requireSettled(next, now, settledSeconds)
        const opened = await openAll(next)
        if (opened.every((each) => each?.canSign)) return advanced(keys, next, now)
        throw conflict('The announced key cannot be decrypted.', 'key_undecryptable')
      }),
    revoke: (now, kid) =>
      change(async (keys) => {
        const revoked = keys.find((key) => key.kid === kid)
        if (revoked === undefined) throw notFound('There is no such key.')
        const rest = keys.filter((key) => key !== revoked)
        const isNext = ({ alg }: StoredKey) => alg === revoked.alg && isSigning(revoked, keys, now)
        const opened = await openAll(nextOf(rest, now).filter(isNext))
        const next = opened.flatMap((each) => (each?.canSign ? [each.stored] : []))
        const changed = advanced(rest, next, now)
        return { keys: changed.keys, events: [eventOf('revoked', revoked), ...changed.events] }
      }),
    async rewrap() {
      let counts = { rewrapped: 0, undecryptable: 0 }
      await change(async (keys) => {
        const keks = await keyEncryptionKeys()
        const wrapped = await Promise.all(keys.map((key) => rewrapStoredKey(issuer, key, keks)))
        const next = keys.map((key, index) => wrapped[index] ?? key)
        const rewrapped = next.filter((key, index) => key !== keys[index]).length
        counts = { rewrapped, undecryptable: wrapped.filter((key) => key === undefined).length }
        const event = { event: 'keys_rewrapped', kek: keks.first, count: rewrapped } as const
        return rewrapped === 0 ? undefined : { keys: next, events: [event] }
      })
      return counts
    },
  }
}

/** Returns a function that writes what `decide` makes of the stored keys; undefined leaves them as they are. */
function changer({
  issuer,
  registry,
  emit,
}: ChangeOptions): (decide: (keys: readonly StoredKey[]) => Promise<Change | undefined>) => Promise<void> {
  return async (decide) => {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const held = await readLatest(registry, keySetKey(issuer))
      const changed = await decide(parseKeySet(held, issuer))
      if (changed === undefined) return
      const text = formatKeySet(issuer, changed.keys)
      // A set that is too large already can still lose keys.
      if (text.length > Math.max(MAX_OCTETS, held?.length ?? 0)) throw recordTooLarge()
      if (!(await registry.replace(keySetKey(issuer), held, text))) continue
      for (const event of changed.events) emit(event)
      return
    }
    throw conflict('Others are changing the keys at the same time.')
  }
}

function requireSettled(next: readonly StoredKey[], now: number, settledSeconds: number): void {
  if (next.length === 0) throw conflict('No key is announced.', 'key_not_announced')
  const left = Math.max(...next.map(({ created_at }) => created_at)) + settledSeconds - now
  if (left > 0) throw conflict(`Verifiers know the announced key in ${left} s; force overrides this.`, 'key_recent')
}

async function rotated(
  keys: readonly StoredKey[],
  now: number,
  { issuer, keyEncryptionKeys, plan: planning }: ChangeOptions,
  known: Map<string, Promise<StoredKey>>,
): Promise<Change | undefined> {
  const placed = keys.map((key) => ({ ...key, signsFrom: key.signs_from }))
  const next = plan(placed, now, planning)
  if (next === undefined) return undefined
  const keks = await keyEncryptionKeys()
  const current = keys.filter((key) => key.signs_from > now || isSigning(key, keys, now))
  const opened = await Promise.all(current.map((key) => openStoredKey(issuer, key, keks)))
  if (!opened.every((each) => each?.canSign)) return undefined
  // A key that was made for an attempt that lost is used for the next one.
  const make = (slot: { readonly alg: string; readonly signsFrom: number }): Promise<StoredKey> => {
    const name = `${slot.alg} ${slot.signsFrom}`
    const made = known.get(name) ?? generateStoredKey(issuer, slot, keks, now)
    known.set(name, made)
    return made
  }
  const made = await Promise.all(next.made.map(make))
  const kept = next.kept.map(({ signsFrom: _place, ...key }) => key)
  const dropped = keys.filter(({ kid }) => !kept.some((key) => key.kid === kid))
  const events = [...made.map((key) => eventOf('announced', key)), ...dropped.map((key) => eventOf('removed', key))]
  return { keys: [...kept, ...made], events }
}

/** Returns the earliest announced key of each algorithm. */
function nextOf(keys: readonly StoredKey[], now: number): readonly StoredKey[] {
  const announced = keys.filter((key) => key.signs_from > now)
  return announced.filter(
    (key) => !announced.some(({ alg, signs_from }) => alg === key.alg && signs_from < key.signs_from),
  )
}

function isSigning(key: StoredKey, keys: readonly StoredKey[], now: number): boolean {
  const isLater = ({ alg, signs_from }: StoredKey) =>
    alg === key.alg && signs_from <= now && signs_from > key.signs_from
  return key.signs_from <= now && !keys.some(isLater)
}

/** No two keys of an algorithm start in the same second. */
function advanced(keys: readonly StoredKey[], next: readonly StoredKey[], now: number): Change {
  const moved = next.map((key) => {
    const started = keys.filter(({ alg, signs_from }) => alg === key.alg && signs_from <= now)
    return { ...key, signs_from: Math.max(now, ...started.map(({ signs_from }) => signs_from + 1)) }
  })
  return {
    keys: keys.map((key) => moved.find(({ kid }) => kid === key.kid) ?? key),
    events: moved.map((key) => eventOf('advanced', key)),
  }
}

function eventOf(change: 'announced' | 'advanced' | 'revoked' | 'removed', key: StoredKey): ServerEvent {
  const { kid, alg, signs_from } = key
  return { event: 'key_changed', change, kid, alg, signs_from }
}
