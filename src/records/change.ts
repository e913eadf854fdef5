/** Changing one record: read the latest, decide, write, and nothing lost when two do so at once. */

import { conflict, preconditionFailed, recordTooLarge } from '../errors.ts'
import type { Registry } from '../stores/contracts.ts'

const ATTEMPTS = 5

/** What is answered about a record, which has more members, can be submitted again: a body has 48 KiB. */
export const MAX_OCTETS: number = 46 * 1024

/** The text to store, and whatever else the caller wants to know about the change once it is made. */
export interface Decision<T> {
  readonly text: string
  readonly result: T
}

/**
 * Writes what `decide` makes of the stored text. When another caller wrote in between, it reads and decides again, five times at
 * most.
 *
 * @param decide receives the stored text, undefined for no record; throws to leave the record as it is
 * @param overrules whether the fifth decision is written although another caller wrote in between
 * @returns the decision that was written
 * @throws OAuthError `temporarily_unavailable` when the store fails, `conflict` when other callers were faster each time, and
 * `invalid_request` for a text that is too large
 */
export async function changeRecord<T>(
  registry: Registry,
  key: string,
  decide: (held: string | undefined) => Promise<Decision<T>>,
  overrules: (result: T) => boolean = () => false,
): Promise<Decision<T>> {
  for (let attempt = 1; ; attempt++) {
    const held = await readLatest(registry, key)
    const decision = await decide(held)
    const { text, result } = decision
    if (new TextEncoder().encode(text).length > MAX_OCTETS) throw recordTooLarge()
    if (await registry.replace(key, held, text)) return decision
    if (attempt < ATTEMPTS) continue
    if (!overrules(result)) throw conflict('Others are changing this at the same time.')
    await registry.put(key, text)
    return decision
  }
}

/**
 * Deletes a record as it was read.
 *
 * @throws OAuthError `temporarily_unavailable` if the store fails, `precondition_failed` if another caller wrote in between
 */
export async function removeRecord(registry: Registry, key: string, held: string): Promise<void> {
  if (!(await registry.remove(key, held))) throw preconditionFailed()
}

/**
 * Returns the text that is stored, as a change or a caller's rights to it are decided on.
 *
 * @throws OAuthError `temporarily_unavailable`
 */
export function readLatest(registry: Registry, key: string): Promise<string | undefined> {
  return registry.get(key, { latest: true })
}

/** Returns the same registry, which reports each key that it may have written to `onWrite`. */
export function observeWrites(registry: Registry, onWrite: (key: string) => void): Registry {
  const reporting = async <R>(key: string, write: () => Promise<R>): Promise<R> => {
    try {
      return await write()
    } finally {
      // A write that failed may have been made all the same.
      onWrite(key)
    }
  }
  return {
    get: (key, options) => registry.get(key, options),
    list: (prefix, options) => registry.list(prefix, options),
    put: (key, value) => reporting(key, () => registry.put(key, value)),
    delete: (key) => reporting(key, () => registry.delete(key)),
    replace: (key, expected, value) => reporting(key, () => registry.replace(key, expected, value)),
    remove: (key, expected) => reporting(key, () => registry.remove(key, expected)),
  }
}
