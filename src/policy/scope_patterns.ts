/** Matching of many scopes against many patterns. Patterns are compiled into bit sets, so that neither a client nor a request can multiply the time. */

/** The requirements of all patterns for the part at one position between the dots. Bit n stands for pattern n. */
interface Level {
  /** Patterns that require exactly this part. */
  readonly literal: Map<string, bigint>
  /** Patterns that have `*` here. */
  any: bigint
  /** Patterns that end here. */
  ending: bigint
  /** Patterns that end here with `*`, which also stands for all further parts. */
  endingOpen: bigint
}

/**
 * Returns a function that reports whether any of the patterns matches a scope. They are compared part by part between dots: `*`
 * matches one part that is not empty, and a final `*` also matches all further parts. A scope with a part `*` never matches, so
 * no token carries a wildcard.
 */
export function scopeMatcher(patterns: readonly string[]): (scope: string) => boolean {
  const literals = new Set(patterns.filter((pattern) => !pattern.includes('*')))
  const wildcards = patterns.filter((pattern) => pattern.includes('*'))
  let levels: readonly Level[] | undefined
  return (scope) => {
    if (literals.has(scope)) return true
    if (wildcards.length === 0) return false
    levels ??= toLevels(wildcards)
    const parts = scope.split('.')
    return !parts.includes('*') && matchesLevels(parts, levels)
  }
}

function toLevels(patterns: readonly string[]): readonly Level[] {
  const levels: Level[] = []
  for (const [index, pattern] of patterns.entries()) {
    const bit = 1n << BigInt(index)
    const parts = pattern.split('.')
    for (const [depth, part] of parts.entries()) {
      levels[depth] ??= { literal: new Map(), any: 0n, ending: 0n, endingOpen: 0n }
      const level = levels[depth]
      if (part === '*') level.any |= bit
      else level.literal.set(part, (level.literal.get(part) ?? 0n) | bit)
      if (depth < parts.length - 1) continue
      if (part === '*') level.endingOpen |= bit
      level.ending |= bit
    }
  }
  return levels
}

function matchesLevels(parts: readonly string[], levels: readonly Level[]): boolean {
  let candidates = -1n
  for (const [depth, part] of parts.entries()) {
    const level = levels[depth]
    if (level === undefined) return false
    candidates &= (level.literal.get(part) ?? 0n) | (part === '' ? 0n : level.any)
    if (candidates === 0n) return false
    if ((candidates & level.endingOpen) !== 0n) return true
    if (depth === parts.length - 1) return (candidates & level.ending) !== 0n
  }
  return false
}
