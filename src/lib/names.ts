/** @throws TypeError if the list is empty or a name appears twice; `list` is its name in the message */
export function requireNames(list: string, names: readonly string[]): void {
  if (names.length === 0) throw new TypeError(`${list} is empty`)
  if (new Set(names).size < names.length) throw new TypeError(`${list} contains a name twice`)
}
