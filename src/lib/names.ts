/** Names in a list that have to be there and to differ. */

/** @throws TypeError that says which list is empty or has a name twice */
export function requireNames(list: string, names: readonly string[]): void {
  if (names.length === 0) throw new TypeError(`${list} is empty`)
  if (new Set(names).size < names.length) throw new TypeError(`${list} holds two of one name`)
}
