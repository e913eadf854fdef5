/** A registry of one's own: clients in a directory, one file each. A `Map` stands for the file system, to keep the example short. */

import { createPreset, generateKeyring, hashToken, type Registry } from 'edgemint'
import { memoryStores } from 'edgemint/stores/memory'

class FileRegistry implements Registry {
  readonly #files = new Map<string, string>()

  async get(key: string): Promise<string | undefined> {
    return this.#files.get(key)
  }

  async put(key: string, value: string): Promise<void> {
    this.#files.set(key, value)
  }

  async delete(key: string): Promise<void> {
    this.#files.delete(key)
  }

  /** Must be atomic. Here it is, because nothing is awaited between the comparison and the write. */
  async replace(key: string, expected: string | undefined, value: string): Promise<boolean> {
    if (this.#files.get(key) !== expected) return false
    this.#files.set(key, value)
    return true
  }

  async remove(key: string, expected: string): Promise<boolean> {
    return this.#files.get(key) === expected && this.#files.delete(key)
  }

  async list(prefix: string, { limit, cursor = '' }: { limit: number; cursor?: string | undefined }) {
    const keys = [...this.#files.keys()].filter((key) => key.startsWith(prefix) && key > cursor).sort()
    const page = keys.slice(0, limit)
    const last = page.at(-1)
    return keys.length > limit && last !== undefined ? { keys: page, cursor: last } : { keys: page }
  }
}

export default createPreset({
  issuer: 'https://tokens.example.com',
  keyring: await generateKeyring(),
  registry: new FileRegistry(),
  ledger: memoryStores().ledger,
  operatorTokenHash: await hashToken('the-token-of-the-operator-at-least-32-characters'),
})
