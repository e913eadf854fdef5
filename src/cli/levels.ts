/** A limit on nesting, for values that other parties wrote. */

/** JSON.stringify fails with twice as many. A server accepts far less, but shows also what another program wrote into its store. */
export const MAX_LEVELS = 2500

/** Returns whether objects and lists are nested in more than so many levels. */
export function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((each) => isDeeper(each, levels - 1))
}
