/** Sees, at each look at the keys, whether a rotation is due or overdue. */

import type { Emit } from '../events/events.ts'
import { causeText } from '../lib/cause.ts'
import { eachInstant } from './keyring.ts'
import { overdueAlgorithms, type PlanOptions, plan } from './rotation_plan.ts'
import type { SigningKey } from './signing_key.ts'
import type { Held } from './stored_reader.ts'
import { type KeyStatus, type StoredView, unusableStatus, type ViewOptions, viewAt } from './stored_view.ts'

interface WatchOptions {
  readonly fixed: readonly SigningKey[]
  readonly view: ViewOptions
  readonly plan: PlanOptions
  readonly nudgeSeconds: number
  readonly emit: Emit
  background(work: Promise<unknown>): void
  rotate(now: number): Promise<void>
}

/**
 * Returns a function that returns the keys at an instant, and remembers the latest result. It has a rotation made that is due, and
 * reports one that is overdue, each once in `nudgeSeconds`.
 */
export function keyWatch(options: WatchOptions): (held: Held, now: number) => StoredView {
  const { fixed, view, nudgeSeconds, emit } = options
  let [nudgedAt, reportedAt] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]
  const nudge = async (now: number): Promise<void> => {
    try {
      await options.rotate(now)
    } catch (error) {
      emit({ event: 'key_rotation_failed', cause: causeText(error) })
    }
  }
  const look = ({ keys, unusable }: Held, now: number): StoredView => {
    const placed = keys.map(({ key }) => key)
    const overdue = overdueAlgorithms(placed, now, options.plan)
    if (overdue.length > 0 && now >= reportedAt + nudgeSeconds) {
      reportedAt = now
      for (const alg of overdue) emit({ event: 'key_rotation_overdue', alg })
    }
    if (now >= nudgedAt + nudgeSeconds && plan(placed, now, options.plan) !== undefined) {
      nudgedAt = now
      options.background(nudge(now))
    }
    const marked = ({ alg, state, source, ...status }: KeyStatus): KeyStatus => {
      const isOverdue = source === 'stored' && state === 'signing' && overdue.includes(alg)
      return { ...status, alg, state, source, ...(isOverdue && { overdue: true }) }
    }
    const seen = viewAt(keys, fixed, now, view)
    const isUnreadable = seen.isUnreadable === true || unusable.length > 0
    const rest = unusable.map((stored) => unusableStatus(stored, now))
    return { ...seen, isUnreadable, statuses: [...seen.statuses.map(marked), ...rest] }
  }
  let latest: { readonly held: Held; readonly at: (now: number) => StoredView } | undefined
  return (held, now) => {
    if (latest?.held !== held) latest = { held, at: eachInstant((instant) => look(held, instant)) }
    return latest.at(now)
  }
}
