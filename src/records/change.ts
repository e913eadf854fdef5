/** Changing one record: read the latest, decide, write, and nothing lost when two do so at once. */

import { conflict, preconditionFailed, recordTooLarge, temporarilyUnavailable } from '../errors.ts'
import type { Registry } from '../stores/contracts.ts'

const ATTEMPTS = 5

/** Deno KV takes no more. */
const MAX_OCTETS = 64 * 1024

/**
 * Writes what `decide` makes of what is stored, and again when somebody else wrote in between.
 *
 * @param decide gets the stored text, undefined for nothing; may throw to leave it alone
 * @param overrules whether the last decision is written all the same when others were always faster
 * @returns the text that is stored now
 * @throws OAuthError `temporarily_unavailable` when the store fails, `conflict` when others were always faster
 */
export async function changeRecord(
  registry: Registry,
  key: string,
  decide: (held: string | undefined) => Promise<string>,
  overrules: () => boolean = () => false,
): Promise<string> {
  let next = ''
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const held = await readLatest(registry, key)
    next = await decide(held)
    if (new TextEncoder().encode(next).length > MAX_OCTETS) throw recordTooLarge()
    if (await reached(registry.replace(key, held, next))) return next
  }
  if (overrules()) {
    await reached(registry.put(key, next))
    return next
  }
  throw conflict('Others are changing this at the same time.')
}

/**
 * Deletes a record as it was read.
 *
 * @throws OAuthError `temporarily_unavailable`, `precondition_failed` when somebody else wrote in between
 */
export async function removeRecord(registry: Registry, key: string, held: string): Promise<void> {
  if (!(await reached(registry.remove(key, held)))) throw preconditionFailed()
}

/**
 * Returns the text that is stored, as a change or a caller's rights to it are decided on.
 *
 * @throws OAuthError `temporarily_unavailable`
 */
export function readLatest(registry: Registry, key: string): Promise<string | undefined> {
  return reached(registry.get(key, { latest: true }))
}

/** Turns a failure of the store into the answer for it. */
export function reached<T>(operation: Promise<T>): Promise<T> {
  return operation.catch((cause: unknown) => {
    throw temporarilyUnavailable('store_failed', 'The registry cannot be reached.', cause)
  })
}

/** Gives the same registry, which tells of each key that it may have written. */
export function observeWrites(registry: Registry, onWrite: (key: string) => void): Registry {
  const telling =
    <A extends readonly [string, ...unknown[]], R>(write: (...values: A) => Promise<R>) =>
    async (...values: A): Promise<R> => {
      try {
        return await write(...values)
      } finally {
        // A write that failed may have been made all the same.
        onWrite(values[0])
      }
    }
  const { get, list, put, replace, remove } = registry
  return {
    get,
    list,
    put: telling(put),
    delete: telling(registry.delete),
    replace: telling(replace),
    remove: telling(remove),
  }
}
