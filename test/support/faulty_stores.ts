/** Stores that are slow, fail, lose their answers or lie, as a plan says. A seed makes a plan that can be repeated. */

import type { Ledger, Registry, Stores } from '../../src/stores/contracts.ts'

/**
 * What goes wrong with one operation. Nothing is done: `fail` rejects, `hang` never answers. It is done: `slow` answers late, `lose`
 * rejects as a connection does that breaks before the answer, `mute` never answers. `old`, `other` and `garbled` are lies: what was stored
 * before the latest write of the key, what is stored under another key, and a value of no use.
 */
export type Fault = 'slow' | 'fail' | 'hang' | 'lose' | 'mute' | 'old' | 'other' | 'garbled'

/** One operation of a store. A listing is one operation for each page. */
export interface Operation {
  readonly store: 'registry' | 'ledger'
  readonly name: string
  /** The prefix or the family of a listing. */
  readonly key: string
}

/** Returns what goes wrong with an operation; undefined for nothing. */
export type Plan = (operation: Operation) => Fault | undefined

/** Probabilities, whose sum is at most 1. */
export type Chances = Readonly<Partial<Record<Fault, number>>>

/** Returns a plan that is the same for the same seed and the same order of operations. */
export function seededPlan(seed: number, chances: Chances): Plan {
  const next = random(seed)
  const faults = Object.entries(chances) as [Fault, number][]
  return () => {
    let left = next()
    for (const [fault, chance] of faults) {
      if (left < chance) return fault
      left -= chance
    }
    return undefined
  }
}

/** Returns the generator mulberry32: numbers from 0 to 1. */
export function random(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export interface FaultyStores extends Stores {
  /** Replaces the plan; without one, nothing goes wrong from now on. */
  follow(plan?: Plan): void
  /** How often each fault has happened. */
  readonly happened: ReadonlyMap<Fault, number>
}

const SLOW_MILLISECONDS = 5
const never = (): Promise<never> => new Promise(() => undefined)

export function faultyStores(
  { registry, ledger, close }: Stores,
  plan?: Plan,
  slowMilliseconds: number = SLOW_MILLISECONDS,
): FaultyStores {
  let current = plan
  const happened = new Map<Fault, number>()
  const run: Run = async (operation, work, lies = {}) => {
    const fault = current?.(operation)
    if (fault === undefined) return work()
    happened.set(fault, (happened.get(fault) ?? 0) + 1)
    if (fault === 'fail') throw new Error('the connection was refused')
    if (fault === 'hang') return never()
    const lie = lies[fault]
    if (lie !== undefined) return lie()
    const answer = await work()
    if (fault === 'slow') await new Promise((resolve) => setTimeout(resolve, slowMilliseconds))
    if (fault === 'lose') throw new Error('the connection was lost')
    return fault === 'mute' ? never() : answer
  }
  return {
    registry: faultyRegistry(registry, run),
    ledger: faultyLedger(ledger, run),
    close,
    follow(next) {
      current = next
    },
    happened,
  }
}

type Lies<T> = Readonly<Partial<Record<Fault, () => Promise<T>>>>
type Run = <T>(operation: Operation, work: () => Promise<T>, lies?: Lies<T>) => Promise<T>

/** An answer that the contract excludes, as a client library may return one that it does not check. */
const garbled = async (): Promise<never> => 'garbled' as never

function faultyRegistry(registry: Registry, run: Run): Registry {
  const before = new Map<string, string | undefined>()
  const remembering = async <T>(key: string, write: () => Promise<T>): Promise<T> => {
    before.set(key, await registry.get(key, { latest: true }))
    return write()
  }
  const at = (name: string, key: string): Operation => ({ store: 'registry', name, key })
  const otherOf = async (key: string): Promise<string | undefined> => {
    const { keys } = await registry.list(key.slice(0, key.indexOf(':') + 1), { limit: 1000 })
    const other = keys.find((each) => each !== key)
    return other === undefined ? undefined : registry.get(other, { latest: true })
  }
  const { lagSeconds } = registry
  return {
    ...(lagSeconds !== undefined && { lagSeconds }),
    get: (key, options) =>
      run(at('get', key), () => registry.get(key, options), {
        old: async () => (before.has(key) ? before.get(key) : registry.get(key, options)),
        other: () => otherOf(key),
        garbled: async () => {
          const text = await registry.get(key, options)
          return text?.slice(0, text.length / 2)
        },
      }),
    put: (key, value) => run(at('put', key), () => remembering(key, () => registry.put(key, value))),
    delete: (key) => run(at('delete', key), () => remembering(key, () => registry.delete(key))),
    replace: (key, expected, value) =>
      run(at('replace', key), () => remembering(key, () => registry.replace(key, expected, value))),
    remove: (key, expected) => run(at('remove', key), () => remembering(key, () => registry.remove(key, expected))),
    list: (prefix, options) => run(at('list', prefix), () => registry.list(prefix, options)),
  }
}

function faultyLedger(ledger: Ledger, run: Run): Ledger {
  const at = (name: string, key: string): Operation => ({ store: 'ledger', name, key })
  return {
    add: (key, value, expiresAt) => run(at('add', key), () => ledger.add(key, value, expiresAt), { garbled }),
    count: (key, windowSeconds) => run(at('count', key), () => ledger.count(key, windowSeconds), { garbled }),
    raise: (key, value, expiresAt) => run(at('raise', key), () => ledger.raise(key, value, expiresAt), { garbled }),
    get: (key) => run(at('get', key), () => ledger.get(key), { garbled }),
    async *list(family) {
      const pages = ledger.list(family)[Symbol.asyncIterator]()
      for (;;) {
        const page = await run(at('list', family), () => pages.next())
        if (page.done === true) return
        yield page.value
      }
    },
  }
}
