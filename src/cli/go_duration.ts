/** Durations as Go writes them, of clients that are imported. */

const UNIT_SECONDS: Readonly<Record<string, number>> = {
  ...{ h: 3600, m: 60, s: 1 },
  ...{ ms: 1e-3, us: 1e-6, '\u00b5s': 1e-6, '\u03bcs': 1e-6, ns: 1e-9 },
}

export interface ImportedLifetime {
  /** Whole seconds, if there are any. */
  readonly seconds?: number
  /** Description of the difference from the file, if there is one. */
  readonly change?: string
}

/** Returns the whole seconds of a duration such as `1h30m0s` or `1m0.5s`. */
export function lifetimeOf(duration: unknown): ImportedLifetime {
  if (duration === undefined || duration === null || duration === '') return {}
  const text = typeof duration === 'string' ? duration : ''
  if (!/^(\d+(\.\d+)?(h|m|s|ms|[u\u00b5\u03bc]s|ns))+$/.test(text))
    return { change: 'lifetime left out, it is not a duration' }
  const parts = [...text.matchAll(/([\d.]+)(\D+)/g)]
  const sum = parts.reduce((total, [, number, unit = '']) => total + Number(number) * (UNIT_SECONDS[unit] ?? 0), 0)
  // Go counts nanoseconds; a sum of fractions is only nearly one of them.
  const exact = Number(sum.toFixed(9))
  const seconds = Math.floor(exact)
  if (seconds === 0) return { change: `lifetime ${text} left out, it is shorter than a second` }
  return seconds === exact ? { seconds } : { seconds, change: `lifetime ${text} shortened to ${seconds}s` }
}
