import assert from 'node:assert/strict'
import { describe, test } from '#test'
import type { ServerEvent } from '../../src/events/events.ts'
import { readKeyEncryptionKeys } from '../../src/keys/key_encryption.ts'
import { generateKey } from '../../src/keys/key_set.ts'
import { readKeyring, signingKeyOf } from '../../src/keys/keyring.ts'
import { type ManagedKeyring, type StoredKeyringOptions, storedKeyring } from '../../src/keys/stored_keyring.ts'
import { encodeBase64url } from '../../src/lib/base64url.ts'
import type { Registry } from '../../src/stores/contracts.ts'
import { memoryStores } from '../../src/stores/memory.ts'

const ISSUER = 'https://tokens.example'
const NOW = 1_800_000_000
const DAY = 86_400
const PERIOD = 30 * DAY

const kek = (id: string, octet = 1) => `${id}:${encodeBase64url(new Uint8Array(32).fill(octet))}`

interface Made extends StoredKeyringOptions {
  readonly events: ServerEvent[]
}

/** Keyrings of one deployment: each call is another process. */
function deployment(registry: Registry = memoryStores().registry) {
  const events: ServerEvent[] = []
  const pending: Promise<unknown>[] = []
  const open = (given: Partial<Made> & { readonly keks?: string } = {}): ManagedKeyring => {
    const { keks = kek('a'), ...rest } = given
    return storedKeyring({
      issuer: ISSUER,
      registry,
      keyEncryptionKeys: () => readKeyEncryptionKeys(keks),
      emit: (event) => events.push(event),
      waitUntil: (work) => void pending.push(work),
      ...rest,
    })
  }
  const settle = async (): Promise<void> => {
    for (const work of pending.splice(0)) await work
  }
  const record = async () => (await registry.get(`keyset:${ISSUER}`)) ?? ''
  return { registry, events, open, settle, record }
}

const names = (events: readonly ServerEvent[]) =>
  events.map((event) => ('change' in event ? `${event.event} ${event.change}` : event.event))
const statesOf = async (keyring: ManagedKeyring, now: number) => (await keyring.list(now)).map(({ state }) => state)

describe('the first key', () => {
  test('signs at once, its successor is announced, and both are kept encrypted', async () => {
    const { open, events, record } = deployment()
    const keyring = open()
    const set = await keyring.at(NOW)
    const key = signingKeyOf(set)
    assert.equal(key.alg, 'ES256')
    assert.deepEqual(await statesOf(keyring, NOW), ['signing', 'announced'])
    assert.equal(set.published.keys.length, 2)
    assert.deepEqual(names(events), ['key_changed announced', 'key_changed announced'])
    const { keys } = JSON.parse(await record()) as { keys: { jwk: object; private: { kek: string } }[] }
    for (const { jwk, private: wrapped } of keys) {
      assert.deepEqual(Object.keys(jwk).sort(), ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
      assert.equal(wrapped.kek, 'a')
    }
    assert.ok((await key.sign(new Uint8Array(3))).length === 64)
  })

  test('is one, however many processes start at the same time', async () => {
    const { open, record } = deployment()
    const sets = await Promise.all(Array.from({ length: 8 }, async () => open().at(NOW)))
    assert.equal(new Set(sets.map((set) => set.signing()?.kid)).size, 1)
    assert.equal((JSON.parse(await record()) as { keys: unknown[] }).keys.length, 2)
  })

  test('is not made while the store fails, and is when it answers again', async () => {
    const { registry, open } = deployment()
    let isDown = true
    const keyring = open({
      registry: { ...registry, get: (...args) => (isDown ? Promise.reject(new Error('down')) : registry.get(...args)) },
    })
    await assert.rejects(async () => keyring.at(NOW), { status: 503, reason: 'store_failed' })
    isDown = false
    assert.ok((await keyring.at(NOW)).signing())
  })

  test('needs a registry that compares and writes', () => {
    const { registry } = deployment()
    const { replace: _replace, ...kvAlone } = registry
    assert.throws(() => deployment(kvAlone as Registry).open(), /compare and write/)
  })

  test('is found past a copy of the registry that is late', async () => {
    const { registry, open, record } = deployment()
    const first = await open().at(NOW)
    const late: Registry = {
      ...registry,
      get: async (key, options) => (options?.latest ? registry.get(key, options) : undefined),
    }
    const before = await record()
    assert.equal((await open({ registry: late }).at(NOW)).signing()?.kid, first.signing()?.kid)
    assert.equal(await record(), before)
  })

  test('is not lost to a copy of the registry that is late', async () => {
    const { registry, open, settle } = deployment()
    const get: Registry['get'] = async (key, options) => (options?.latest ? registry.get(key, options) : undefined)
    const keyring = open({ registry: { ...registry, lagSeconds: 60, get } })
    const { published } = await keyring.at(NOW)
    assert.equal(published.keys.length, 2)
    assert.deepEqual((await keyring.fresh(NOW)).published, published)
    assert.deepEqual((await keyring.fresh(NOW + 59)).published, published)
    await keyring.at(NOW + 59)
    await settle()
    assert.ok((await keyring.at(NOW + 59)).signing())
  })
})

describe('a rotation', () => {
  test('needs no job: the announced key signs when its time comes, and another is announced', async () => {
    const { open, settle } = deployment()
    const keyring = open()
    const first = (await keyring.at(NOW)).signing()?.kid
    assert.equal((await keyring.at(NOW + PERIOD - 1)).signing()?.kid, first)
    const second = (await keyring.at(NOW + PERIOD)).signing()?.kid
    assert.notEqual(second, first)
    await settle()
    assert.deepEqual(await statesOf(keyring, NOW + PERIOD), ['retired', 'signing', 'announced'])
    const set = await keyring.at(NOW + PERIOD)
    assert.ok(set.verifying(first ?? ''), 'the tokens of the first key still verify')
    const later = NOW + PERIOD + DAY + 1800 + 60
    assert.ok((await keyring.at(later)).verifying(first ?? ''))
    assert.equal((await keyring.at(later + 1)).verifying(first ?? ''), undefined)
  })

  test('makes one key, however many processes see that it is due', async () => {
    const { open, settle, record } = deployment()
    const fleet = Array.from({ length: 6 }, () => open())
    for (const keyring of fleet) await keyring.at(NOW)
    for (const keyring of fleet) await keyring.at(NOW + PERIOD)
    await settle()
    assert.equal((JSON.parse(await record()) as { keys: unknown[] }).keys.length, 3)
  })

  test('that never runs leaves the last key in service, and is reported', async () => {
    const { open, events, settle } = deployment()
    await open().at(NOW)
    const keyring = open({ rotate: () => Promise.reject(new Error('blocked')) })
    const late = NOW + 3 * PERIOD
    for (const now of [late, late + 60, late + 3600]) {
      assert.ok((await keyring.at(now)).signing())
      await settle()
    }
    const reported = names(events).filter((name) => name.startsWith('key_rotation_'))
    assert.deepEqual(reported, [
      ...['key_rotation_overdue', 'key_rotation_failed'],
      ...['key_rotation_overdue', 'key_rotation_failed'],
    ])
    const overdue = (await keyring.list(late)).filter((status) => status.overdue)
    assert.deepEqual(
      overdue.map(({ state }) => state),
      ['signing'],
    )
  })

  test('reads the keys again in the background, and keeps them while the store fails', async () => {
    const { registry, open, settle, events } = deployment()
    let isDown = false
    const get: Registry['get'] = (...args) => (isDown ? Promise.reject(new Error('down')) : registry.get(...args))
    const [one, two] = [open(), open({ registry: { ...registry, get } })]
    await one.at(NOW)
    await two.at(NOW)
    isDown = true
    const old = (await two.at(NOW + 100)).signing()
    await settle()
    assert.ok(names(events).includes('record_served_stale'))
    assert.equal((await two.at(NOW + PERIOD - 1)).signing(), old)
    await settle()
    isDown = false
    await one.advance(NOW + PERIOD - 1, {})
    const fresh = await two.fresh(NOW + PERIOD + 1000)
    await settle()
    assert.notEqual(fresh.signing()?.kid, old?.kid)
  })

  test('keeps the keys when the record is lost, and says so', async () => {
    const { registry, open, events } = deployment()
    const keyring = open()
    const { published } = await keyring.at(NOW)
    await registry.delete(`keyset:${ISSUER}`)
    await assert.rejects(keyring.list(NOW + 1), { status: 503, reason: 'store_failed' })
    assert.deepEqual((await keyring.fresh(NOW + 100)).published, published)
    assert.ok((await keyring.at(NOW + 100)).signing())
    assert.ok(names(events).includes('record_served_stale'))
    await assert.rejects(keyring.revoke(NOW + 100, published.keys[0]?.kid ?? ''), { status: 404 })
  })

  test('goes on when the clock jumps ahead and back', async () => {
    const { open, settle } = deployment({ ...memoryStores().registry, lagSeconds: 60 })
    const [one, two] = [open(), open()]
    await one.at(NOW)
    await two.at(NOW)
    await two.list(NOW + 2 * DAY)
    await one.advance(NOW + 1000, {})
    const kid = (await one.at(NOW + 1000)).signing()?.kid
    for (const now of [NOW + 1001, NOW + 1100]) {
      await two.at(now)
      await settle()
    }
    assert.equal((await two.at(NOW + 1101)).signing()?.kid, kid)
  })

  test('an unchanged key stays the same object, so that its tokens can be reused', async () => {
    const { open, settle } = deployment()
    const keyring = open()
    const before = (await keyring.at(NOW)).signing()
    for (const now of [NOW + 100, NOW + 200]) {
      await keyring.at(now)
      await settle()
    }
    await keyring.rewrap(NOW + 300)
    assert.equal((await keyring.at(NOW + 301)).signing(), before)
  })
})

describe('SIGNING_KEYS next to stored keys', () => {
  const staticKeys = async (alg: string, signs_from = 0) =>
    (await readKeyring(JSON.stringify({ keys: [await generateKey(alg, signs_from)] }))).keys

  for (const alg of ['ES256', 'RS256']) {
    test(`${alg}: they sign for a day more, and then count as retired`, async () => {
      const { open, settle } = deployment()
      const fixed = await staticKeys(alg)
      const keyring = open({ fixed })
      const set = await keyring.at(NOW)
      assert.equal(set.signing()?.kid, fixed[0]?.kid)
      assert.equal(set.published.keys.length, 2)
      assert.equal((await keyring.at(NOW + DAY - 1)).signing()?.kid, fixed[0]?.kid)
      const later = await keyring.at(NOW + DAY)
      await settle()
      assert.notEqual(later.signing()?.kid, fixed[0]?.kid)
      assert.ok(later.verifying(fixed[0]?.kid ?? ''))
    })
  }

  for (const alg of ['ES256', 'RS256']) {
    test(`${alg}: the way back, a later key of SIGNING_KEYS takes over from stored ones that are no longer made`, async () => {
      const { open, record } = deployment()
      const stored = (await open().at(NOW)).signing()
      const before = await record()
      const fixed = await staticKeys(alg, NOW + PERIOD + DAY)
      const keyring = open({ fixed, periodSeconds: undefined })
      assert.equal((await keyring.at(NOW + DAY)).signing()?.kid, stored?.kid)
      assert.ok((await keyring.at(NOW + DAY)).verifying(fixed[0]?.kid ?? ''))
      const after = await keyring.at(NOW + PERIOD + DAY)
      assert.equal(after.signing()?.kid, fixed[0]?.kid)
      assert.ok(after.published.keys.length >= 2)
      assert.equal(await record(), before)
    })
  }
})

describe('a wrong key-encryption key', () => {
  test('stops signing with an exact reason, publishes all keys, and makes none', async () => {
    const { open, events, record } = deployment()
    const good = await open().at(NOW)
    const before = await record()
    for (const keks of [kek('a', 2), kek('b')]) {
      const keyring = open({ keks })
      const set = await keyring.at(NOW + 1)
      assert.throws(() => signingKeyOf(set), { status: 503, reason: 'signing_key_undecryptable' })
      assert.deepEqual(set.published, good.published)
      assert.equal(set.signing(), undefined)
      await keyring.rotate(NOW + PERIOD)
      await assert.rejects(keyring.advance(NOW + 1, { force: true }), { status: 409, reason: 'key_undecryptable' })
    }
    assert.equal(await record(), before)
    assert.ok(names(events).includes('key_undecryptable'))
  })

  test('leaves SIGNING_KEYS in service, and an older key for as long as its tokens can be verified', async () => {
    const { open, settle, registry, record } = deployment()
    const keyring = open()
    const first = (await keyring.at(NOW)).signing()
    await keyring.at(NOW + PERIOD)
    await settle()
    // All but the first key are encrypted under another key-encryption key.
    const set = JSON.parse(await record()) as { keys: { private: { kek: string } }[] }
    for (const { private: wrapped } of set.keys.slice(1)) wrapped.kek = 'lost'
    await registry.put(`keyset:${ISSUER}`, JSON.stringify(set))
    const other = open()
    assert.equal((await other.at(NOW + PERIOD + 60)).signing()?.kid, first?.kid)
    assert.equal((await other.at(NOW + PERIOD + DAY)).signing()?.kid, first?.kid)
    assert.equal((await other.at(NOW + PERIOD + DAY + 1)).signing(), undefined)
    const { keys: fixed } = await readKeyring(JSON.stringify({ keys: [await generateKey('ES256')] }))
    const both = await open({ fixed }).at(NOW + 2 * PERIOD)
    assert.equal(both.signing()?.kid, fixed[0]?.kid)
    assert.ok(both.published.keys.some(({ kid }) => kid === fixed[0]?.kid))
  })

  test('ends when every key has been encrypted under the new one', async () => {
    const { open } = deployment()
    const kid = (await open().at(NOW)).signing()?.kid
    const both = open({ keks: `${kek('b', 2)},${kek('a')}` })
    assert.deepEqual(await both.rewrap(NOW), { rewrapped: 2, undecryptable: 0 })
    assert.deepEqual(await both.rewrap(NOW), { rewrapped: 0, undecryptable: 0 })
    assert.equal((await open({ keks: kek('b', 2) }).at(NOW)).signing()?.kid, kid)
    for (const keks of [kek('c', 3), kek('b', 3)])
      assert.deepEqual(await open({ keks }).rewrap(NOW), { rewrapped: 0, undecryptable: 2 })
  })
})

describe('a record that another party wrote', () => {
  interface Row {
    kid: string
    alg: string
    signs_from: number
    jwk: object
    private?: object
  }
  const changed = async (change: (keys: Row[]) => unknown) => {
    const made = deployment()
    const good = (await made.open().at(NOW)).published.keys.map(({ kid = '' }) => kid)
    const set = JSON.parse(await made.record()) as { keys: Row[] }
    change(set.keys)
    await made.registry.put(`keyset:${ISSUER}`, JSON.stringify(set))
    return { ...made, good, keyring: made.open() }
  }
  const kidsOf = async (keyring: ManagedKeyring, now = NOW) =>
    (await keyring.at(now)).published.keys.map(({ kid = '' }) => kid)

  test('adds no key to the published ones: without a private half, with another one, or with another public half', async () => {
    const { kid = '', ...foreign } = (await readKeyring(JSON.stringify({ keys: [await generateKey('EdDSA')] }))).keys[0]
      ?.publicJwk ?? { kty: '' }
    const row = { kid, alg: 'EdDSA', created_at: NOW, signs_from: NOW - 1, jwk: foreign }
    for (const change of [
      (keys: Row[]) => keys.push(row),
      (keys: Row[]) =>
        keys.push({ ...row, signs_from: NOW + DAY, ...(keys[0]?.private && { private: keys[0].private }) }),
      (keys: Row[]) => keys.push({ ...row, kid: 'other' }),
    ]) {
      const { keyring, good, events } = await changed(change)
      assert.deepEqual(await kidsOf(keyring), good)
      assert.equal((await keyring.at(NOW)).verifying(kid), undefined)
      assert.ok(names(events).includes('key_undecryptable'))
      const [listed, ...more] = (await keyring.list(NOW)).filter((status) => status.undecryptable)
      assert.equal(more.length, 0)
      await keyring.revoke(NOW, listed?.kid ?? '')
      assert.deepEqual(
        (await keyring.list(NOW)).filter((status) => status.undecryptable),
        [],
      )
      assert.ok((await keyring.at(NOW + 1)).signing())
    }
  })

  test('cannot give a kid another public half, or exchange private halves; the next key signs', async () => {
    const other = (await generateKey('ES256')) as object
    const replaced = await changed(([first]) => first && Object.assign(first, { jwk: { ...other, d: undefined } }))
    assert.deepEqual(await kidsOf(replaced.keyring), replaced.good.slice(1))
    assert.equal((await replaced.keyring.at(NOW)).signing()?.kid, replaced.good[1])
    assert.deepEqual(await replaced.keyring.rewrap(NOW), { rewrapped: 0, undecryptable: 1 })
    const exchanged = await changed((keys) => {
      const [one, two] = keys.map((key) => key.private ?? {})
      for (const [index, half] of [two, one].entries()) Object.assign(keys[index] ?? {}, { private: half })
    })
    assert.equal((await exchanged.keyring.at(NOW)).signing(), undefined)
  })

  test('that exchanges algorithms is not used', async () => {
    const { keyring } = await changed((keys) => keys.map((key) => Object.assign(key, { alg: 'RS256' })))
    assert.equal((await keyring.at(NOW)).signing(), undefined)
    assert.deepEqual(await kidsOf(keyring), [])
  })
})

describe('when no key that has started can sign', () => {
  test('the announced one does, in a process whose clock is behind the one that made it', async () => {
    const { open } = deployment()
    const first = (await open().at(NOW)).signing()?.kid
    assert.equal((await open().at(NOW - 5)).signing()?.kid, first)
  })

  test('the announced one does, after a process whose clock was far ahead removed its predecessor', async () => {
    const { open, record } = deployment()
    const keyring = open()
    await keyring.at(NOW)
    await open().rotate(NOW + 2 * PERIOD)
    const { keys } = JSON.parse(await record()) as { keys: { kid: string; signs_from: number }[] }
    assert.deepEqual(
      keys.map(({ signs_from }) => signs_from - NOW),
      [PERIOD, 2 * PERIOD + DAY],
    )
    assert.equal((await open().at(NOW + 60)).signing()?.kid, keys[0]?.kid)
  })

  test('a new one does, once no undecryptable key is listed any more, retired ones included', async () => {
    const { open, settle } = deployment()
    const keyring = open()
    await keyring.at(NOW)
    await keyring.at(NOW + PERIOD)
    await settle()
    const lost = open({ keks: kek('b', 2) })
    const now = NOW + PERIOD + 60
    const listed = await lost.list(now)
    assert.deepEqual(
      listed.map(({ state }) => state),
      ['retired', 'signing', 'announced'],
    )
    for (const { kid, undecryptable } of listed) {
      assert.equal(undecryptable, true)
      assert.equal((await lost.at(now)).signing(), undefined)
      await lost.revoke(now, kid)
    }
    assert.ok((await lost.at(now)).signing())
  })

  test('none of another algorithm signs early while one does', async () => {
    const { open, settle } = deployment()
    await open().at(NOW)
    const both = open({ algorithms: ['ES256', 'EdDSA'] })
    await both.rotate(NOW + 1)
    await settle()
    assert.equal((await both.fresh(NOW + 100)).signing('EdDSA'), undefined)
  })
})

describe('readings that overlap', () => {
  test('end in the order in which they began: an old one does not bring a revoked key back', async () => {
    const { registry, open, settle } = deployment()
    const kid = (await open().at(NOW)).signing()?.kid ?? ''
    let hold: Promise<void> | undefined
    const get: Registry['get'] = async (...args) => {
      const waiting = args[1]?.latest ? undefined : hold
      const text = await registry.get(...args)
      await waiting
      return text
    }
    const keyring = open({ registry: { ...registry, get } })
    await keyring.at(NOW)
    const { promise, resolve } = Promise.withResolvers<void>()
    hold = promise
    await keyring.at(NOW + 100)
    await keyring.revoke(NOW + 100, kid)
    resolve()
    await settle()
    assert.notEqual((await keyring.at(NOW + 101)).signing()?.kid, kid)
    assert.equal((await keyring.at(NOW + 101)).verifying(kid), undefined)
  })
})

describe('an operator', () => {
  test('rotates now, once verifiers know the announced key', async () => {
    const { open } = deployment()
    const keyring = open()
    const first = (await keyring.at(NOW)).signing()?.kid
    await assert.rejects(keyring.advance(NOW + 100, {}), { status: 409, reason: 'key_recent' })
    await keyring.advance(NOW + 360, {})
    assert.deepEqual(await statesOf(keyring, NOW + 360), ['retired', 'signing', 'announced'])
    assert.notEqual((await keyring.at(NOW + 361)).signing()?.kid, first)
    await keyring.advance(NOW + 362, { force: true })
    assert.deepEqual(await statesOf(keyring, NOW + 363), ['retired', 'retired', 'signing', 'announced'])
  })

  test('cannot make so many keys that the record grows without bound; it shrinks by itself', async () => {
    const { open, record } = deployment()
    const keyring = open()
    await keyring.at(NOW)
    let now = NOW
    const advance = () => keyring.advance(++now, { force: true })
    await assert.rejects(
      async () => {
        while (now < NOW + 200) await advance()
      },
      { status: 413, reason: 'record_too_large' },
    )
    const { length } = await record()
    assert.ok(length > 40_000 && length <= 46 * 1024, `${length}`)
    assert.ok((await keyring.at(now)).signing())
    await keyring.rotate(now + 2 * DAY)
    assert.deepEqual(await statesOf(keyring, now + 2 * DAY), ['signing', 'announced'])
  })

  test('cannot advance what is not announced', async () => {
    const { open } = deployment()
    await open().at(NOW)
    const off = open({ periodSeconds: undefined })
    await off.advance(NOW + 9999, {})
    await assert.rejects(off.advance(NOW + 9999, { force: true }), { status: 409, reason: 'key_not_announced' })
  })

  test('revokes a key: the next takes over at once', async () => {
    const { open, events } = deployment()
    const keyring = open()
    const set = await keyring.at(NOW)
    const [signing, announced] = set.published.keys.map(({ kid = '' }) => kid)
    await keyring.revoke(NOW + 10, signing ?? '')
    const after = await keyring.at(NOW + 10)
    assert.equal(after.signing()?.kid, announced)
    assert.equal(after.verifying(signing ?? ''), undefined)
    assert.deepEqual(await statesOf(keyring, NOW + 10), ['signing', 'announced'])
    assert.ok(names(events).includes('key_changed revoked'))
    await assert.rejects(keyring.revoke(NOW + 11, signing ?? ''), { status: 404 })
  })

  test('revokes every key, also those that cannot be decrypted: a new one is made', async () => {
    const { open } = deployment()
    await open().at(NOW)
    const keyring = open({ keks: kek('b', 2) })
    for (const { kid } of await keyring.list(NOW)) await keyring.revoke(NOW, kid)
    assert.deepEqual(await statesOf(keyring, NOW), ['signing', 'announced'])
    assert.ok((await keyring.at(NOW)).signing())
  })

  test('cannot revoke a key of SIGNING_KEYS', async () => {
    const { open } = deployment()
    const { keys: fixed } = await readKeyring(JSON.stringify({ keys: [await generateKey('ES256')] }))
    await assert.rejects(open({ fixed }).revoke(NOW, fixed[0]?.kid ?? ''), { status: 409, reason: 'key_static' })
  })
})
