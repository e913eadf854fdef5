import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { OAuthError, temporarilyUnavailable } from '../../src/errors.ts'
import type { Ledger, Registry, Stores } from '../../src/stores/contracts.ts'
import { guardStores } from '../../src/stores/guard.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import { NOW } from '../support/world.ts'
import { ledgerContract, levelsOf } from './ledger_contract.ts'
import { registryContract } from './registry_contract.ts'

const never = () => new Promise<never>(() => undefined)

/** Stores all of whose operations do this; a listing does so once it has given a page. */
function storesThat(operation: () => Promise<never>): Stores {
  const list = async function* () {
    yield [{ key: 'a:b', value: 1 }]
    yield await operation()
  }
  const registry = {
    ...{ get: operation, put: operation, delete: operation },
    ...{ list: operation, replace: operation, remove: operation },
  }
  const ledger = { add: operation, count: operation, get: operation, raise: operation, list }
  return { registry, ledger, close: async () => undefined }
}

const ofRegistry: Record<string, (registry: Registry) => Promise<unknown>> = {
  get: (registry) => registry.get('a'),
  put: (registry) => registry.put('a', ''),
  delete: (registry) => registry.delete('a'),
  list: (registry) => registry.list('a', { limit: 1 }),
  remove: (registry) => registry.remove('a', ''),
  replace: (registry) => registry.replace('a', undefined, ''),
}

const ofLedger: Record<string, (ledger: Ledger) => Promise<unknown>> = {
  add: (ledger) => ledger.add('a', '', NOW),
  count: (ledger) => ledger.count('a', 1),
  get: (ledger) => ledger.get('a'),
  raise: (ledger) => ledger.raise('a:b', 1, NOW),
  list: (ledger) => levelsOf(ledger, 'a'),
}

/** Every operation, by its name, begun at guarded stores. */
const operations: readonly (readonly [name: string, store: string, begin: (stores: Stores) => Promise<unknown>])[] = [
  ...Object.entries(ofRegistry).map(
    ([name, begin]) => [name, 'registry', ({ registry }: Stores) => begin(registry)] as const,
  ),
  ...Object.entries(ofLedger).map(([name, begin]) => [name, 'ledger', ({ ledger }: Stores) => begin(ledger)] as const),
]

/** Checks that an error is the answer to the failure of a store, and returns its cause. */
function causeOf(error: unknown, store: string): unknown {
  assert.ok(error instanceof OAuthError)
  const { status, code, reason, message, headers, cause } = error
  assert.deepEqual([status, code, reason], [503, 'temporarily_unavailable', 'store_failed'])
  assert.equal(message, `The ${store} cannot be reached.`)
  assert.equal(headers['Retry-After'], '5')
  return cause
}

describe('guardStores', () => {
  registryContract(
    () =>
      guardStores(
        memoryStores(() => NOW),
        1,
      ).registry,
  )
  let now = () => NOW
  const { ledger } = guardStores(
    memoryStores(() => now()),
    1,
  )
  ledgerContract((clock) => {
    now = clock
    return ledger
  })

  for (const [name, store, begin] of operations) {
    test(`answers for ${name} of a ${store} that hangs`, async () => {
      await assert.rejects(begin(guardStores(storesThat(never), 0.01)), (error) => {
        const cause = causeOf(error, store)
        assert.ok(cause instanceof Error)
        assert.equal(cause.message, 'the store did not answer within 0.01 s')
        return true
      })
    })

    test(`answers for ${name} of a ${store} that fails, and keeps the cause`, async () => {
      const cause = new Error('read-only disk')
      const failing = storesThat(() => Promise.reject(cause))
      await assert.rejects(begin(guardStores(failing, 1)), (error) => causeOf(error, store) === cause)
      const throwing = storesThat(() => {
        throw cause
      })
      await assert.rejects(begin(guardStores(throwing, 1)), (error) => causeOf(error, store) === cause)
    })

    test(`passes on an OAuthError from ${name} of a ${store}, also when guarded twice`, async () => {
      const refusal = temporarilyUnavailable('record_malformed', 'Another answer.')
      const once = guardStores(
        storesThat(() => Promise.reject(refusal)),
        1,
      )
      for (const stores of [once, guardStores(once, 1)]) {
        await assert.rejects(begin(stores), (error) => error === refusal)
      }
    })
  }

  test('a listing gives the pages that came before the failure', async () => {
    const { ledger } = guardStores(
      storesThat(() => Promise.reject(new Error('away'))),
      1,
    )
    const pages = ledger.list('a')[Symbol.asyncIterator]()
    assert.deepEqual((await pages.next()).value, [{ key: 'a:b', value: 1 }])
    await assert.rejects(pages.next(), (error) => causeOf(error, 'ledger') instanceof Error)
  })

  test('a listing that cannot begin is a failure too', async () => {
    const { ledger, ...rest } = memoryStores(() => NOW)
    const cause = new Error('no socket')
    const list = () => {
      throw cause
    }
    const guarded = guardStores({ ledger: { ...ledger, list }, ...rest }, 1)
    await assert.rejects(levelsOf(guarded.ledger, 'a'), (error) => causeOf(error, 'ledger') === cause)
  })

  test('limits writes of the registry by a time of their own', async () => {
    const { registry } = guardStores(storesThat(never), 0.01, 0.02)
    for (const name of ['put', 'delete', 'replace', 'remove']) {
      await assert.rejects(
        async () => ofRegistry[name]?.(registry),
        (error) => /within 0.02 s/.test(String(causeOf(error, 'registry'))),
      )
    }
  })

  test('closes the store', async () => {
    let closed = 0
    await guardStores({ ...memoryStores(() => NOW), close: async () => void closed++ }, 1).close()
    assert.equal(closed, 1)
  })

  test('keeps the lagSeconds of a registry', () => {
    const { registry, ...rest } = memoryStores(() => NOW)
    assert.equal(guardStores({ registry, ...rest }, 1).registry.lagSeconds, undefined)
    assert.equal(guardStores({ registry: { ...registry, lagSeconds: 60 }, ...rest }, 1).registry.lagSeconds, 60)
  })
})
