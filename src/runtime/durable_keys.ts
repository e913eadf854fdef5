/** Rotates the signing keys in a Durable Object: it may take longer than a request, and its alarm needs no requests. */

import { readConfig } from '../config.ts'
import { auditLines } from '../events/audit.ts'
import { openKeyServices } from '../key_services.ts'
import { isManaged } from '../keys/stored_keyring.ts'
import { epochSeconds } from '../lib/clock.ts'
import { openKeyring, readFixedKeys } from '../open_keyring.ts'
import { wakeWithin } from '../stores/alarm.ts'
import type { Stores } from '../stores/contracts.ts'
import { Ledger as LedgerObject } from '../stores/durable_object.ts'

/** A failed rotation is tried again after this time. The platform's own retries end after six. */
const RETRY_SECONDS = 3600

/** The table has no rows: that it exists marks the object as the one that rotates, also after a restart. */
const ROTATES = 'CREATE TABLE IF NOT EXISTS rotates (name TEXT PRIMARY KEY)'
const IS_ROTATING = "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'rotates'"

/** The name of the object that rotates the keys of an issuer. */
export function keysObject(issuer: string): string {
  return `keys-${issuer}`
}

/** Opens the stores, from any object of the Worker as well. */
export type OpenStores = (env: Readonly<Record<string, unknown>>) => Pick<Stores, 'registry' | 'ledger'>

/** Returns the class that wrangler.toml binds as LEDGER: the ledger and the records, and the rotation of keys. */
export function ledgerWithKeys(openStores: OpenStores): typeof LedgerObject & RotatingClass {
  return class Ledger extends LedgerObject {
    readonly #env: Readonly<Record<string, unknown>>

    constructor(...args: ConstructorParameters<typeof LedgerObject>) {
      super(...args)
      this.#env = { ...args[1] }
    }

    /** Rotates what is due, and has the alarm do so from now on. */
    async rotateKeys(): Promise<void> {
      this.ctx.storage.sql.exec(ROTATES)
      await this.#rotate()
    }

    override async alarm(): Promise<void> {
      await super.alarm()
      if (this.ctx.storage.sql.exec(IS_ROTATING).toArray().length === 0) return
      // Before the work, so that a failure does not end it for good.
      await wakeWithin(this.ctx.storage, RETRY_SECONDS)
      await this.#rotate()
    }

    async #rotate(): Promise<void> {
      const seconds = await rotateOnce(this.#env, openStores)
      if (seconds !== undefined) await wakeWithin(this.ctx.storage, seconds)
    }
  }
}

interface RotatingClass {
  new (...args: ConstructorParameters<typeof LedgerObject>): LedgerObject & { rotateKeys(): Promise<void> }
}

/** Returns the seconds after which to look again; undefined when the settings have no rotation. */
async function rotateOnce(env: Readonly<Record<string, unknown>>, openStores: OpenStores): Promise<number | undefined> {
  const config = readConfig(env)
  if (!('signingAlgs' in config)) return undefined
  const emit = auditLines((line) => console.log(line), epochSeconds, config.auditLog)
  const services = await openKeyServices(config, { environment: env, now: epochSeconds })
  if (!('secret' in services) || services.keyring !== undefined) return undefined
  const keys = { ...(await readFixedKeys(config)), unwrapKeyEncryptionKeys: services.unwrapKeyEncryptionKeys }
  const keyring = await openKeyring(config, keys, openStores(env), {}, emit)
  if (!isManaged(keyring)) return undefined
  await keyring.rotate(epochSeconds())
  return keyring.rotateSeconds
}
