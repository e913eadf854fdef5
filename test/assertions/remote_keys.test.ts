import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { type RemoteKeysOptions, remoteKeys } from '../../src/assertions/remote_keys.ts'
import { OAuthError } from '../../src/errors.ts'
import { NOW } from '../support/world.ts'

const URL_OF_KEYS = 'https://client.example/jwks.json'
const set = (kid: string) => JSON.stringify({ keys: [{ kty: 'EC', kid }] })

/** A publisher of keys that the test controls. */
function setUp(parts: Partial<RemoteKeysOptions> = {}) {
  const state = { now: NOW, fetches: 0, answer: () => new Response(set('one')) }
  const find = remoteKeys({
    fetch: async () => {
      state.fetches++
      return state.answer()
    },
    now: () => state.now,
    ...parts,
  })
  const kids = async (options?: { refresh: boolean }, url = URL_OF_KEYS) =>
    (await find(url, options)).map(({ kid }) => kid)
  return { state, find, kids }
}
const isUnavailable = (error: unknown) =>
  error instanceof OAuthError && error.reason === 'jwks_uri_failed' && error.status === 503

describe('remoteKeys', () => {
  test('fetches once in five minutes, and once for concurrent callers', async () => {
    const { state, kids } = setUp()
    await Promise.all([kids(), kids(), kids()])
    state.now = NOW + 299
    assert.deepEqual(await kids(), ['one'])
    assert.equal(state.fetches, 1)
    state.answer = () => new Response(set('two'))
    state.now = NOW + 300
    assert.deepEqual(await kids(), ['two'])
  })

  test('a refresh fetches again, at most every 30 seconds', async () => {
    const { state, kids } = setUp()
    await kids()
    state.answer = () => new Response(set('two'))
    assert.deepEqual(await kids({ refresh: true }), ['one'])
    state.now = NOW + 30
    assert.deepEqual(await kids({ refresh: true }), ['two'])
    assert.deepEqual(await kids({ refresh: true }), ['two'])
    assert.equal(state.fetches, 2)
  })

  test('a name that is not resolved in time, or has no address, is an outage', async () => {
    const hanging = setUp({ resolve: () => new Promise(() => undefined) })
    await assert.rejects(hanging.kids(), isUnavailable)
    const empty = setUp({ resolve: async () => [] })
    await assert.rejects(empty.kids(), isUnavailable)
    assert.equal(hanging.state.fetches + empty.state.fetches, 0)
  })

  test('an outage is 503; cached keys are used for one more hour', async () => {
    const { state, kids } = setUp()
    await kids()
    state.answer = () => new Response('', { status: 500 })
    state.now = NOW + 300 + 3599
    assert.deepEqual(await kids(), ['one'])
    state.now = NOW + 300 + 3600
    await assert.rejects(kids(), isUnavailable)
  })

  test('a failing URL is fetched at most every 30 seconds', async () => {
    const { state, kids } = setUp()
    state.answer = () => new Response('', { status: 500 })
    for (let index = 0; index < 5; index++) await assert.rejects(kids(), isUnavailable)
    assert.equal(state.fetches, 1)
    state.now = NOW + 30
    state.answer = () => new Response(set('one'))
    assert.deepEqual(await kids(), ['one'])
  })

  const answers: readonly [name: string, answer: () => Response][] = [
    ['a redirect', () => new Response(null, { status: 302, headers: { Location: 'http://169.254.169.254/' } })],
    ['more than 64 KiB', () => new Response(`{"keys":[]}${' '.repeat(65536)}`)],
    ...[201, 203, 204, 206, 304, 400, 401, 404, 500, 503].map((status): [string, () => Response] => [
      `keys with status ${status}`,
      () => new Response([204, 304].includes(status) ? null : set('one'), { status }),
    ]),
    ['what is no UTF-8', () => new Response(Uint8Array.from([0x7b, 0xff]))],
    ['what is no JSON', () => new Response('<html>')],
    ['what is no key set', () => new Response('{"keys":{}}')],
    ['more keys than 20', () => new Response(JSON.stringify({ keys: Array(21).fill({ kty: 'EC' }) }))],
  ]
  for (const [name, answer] of answers) {
    test(`refuses ${name}`, async () => {
      const { state, kids } = setUp()
      state.answer = answer
      await assert.rejects(kids(), isUnavailable)
    })
  }

  test('freshness is counted from the beginning of the fetch', async () => {
    const { state, kids } = setUp()
    state.answer = () => {
      state.now += 2
      return new Response(set('one'))
    }
    await kids()
    state.answer = () => new Response(set('two'))
    state.now = NOW + 299
    assert.deepEqual(await kids(), ['one'])
    state.now = NOW + 300
    assert.deepEqual(await kids(), ['two'])
  })

  test('accepts exactly 64 KiB and 20 keys', async () => {
    const { state, kids } = setUp()
    const text = JSON.stringify({ keys: Array(20).fill({ kty: 'EC', kid: 'k' }) })
    state.answer = () => new Response(text.padEnd(65_536))
    assert.equal((await kids()).length, 20)
  })

  test('each URL has its own keys and its own cool-down', async () => {
    const { state, kids } = setUp()
    await kids()
    state.answer = () => new Response(set('two'))
    assert.deepEqual(await kids(undefined, 'https://other.example/'), ['two'])
    assert.deepEqual(await kids({ refresh: true }), ['one'])
    assert.equal(state.fetches, 2)
  })

  const forbidden = [
    'http://client.example/',
    'ftp://client.example/',
    'https://user:password@client.example/',
    'https://localhost/',
    'https://intranet/',
  ]
  const hosts = [
    '127.0.0.1',
    '2130706433',
    '0x7f.1',
    '10.0.0.1',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '0.0.0.0',
    '100.64.0.1',
    '224.0.0.1',
  ]
  const hosts6 = [
    '[::1]',
    '[::]',
    '[fe80::1]',
    '[fd00::1]',
    '[::ffff:127.0.0.1]',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
  ]
  for (const url of [...forbidden, ...[...hosts, ...hosts6].map((host) => `https://${host}/jwks`)]) {
    test(`does not fetch ${url}`, async () => {
      const { state, kids } = setUp()
      await assert.rejects(kids(undefined, url), isUnavailable)
      assert.equal(state.fetches, 0)
    })
  }

  test('does not fetch from a name with a private address, even one of several', async () => {
    const addresses = ['198.51.100.1', '93.184.216.34', '10.0.0.1']
    const { state, kids } = setUp({ resolve: async () => addresses.slice(1) })
    await assert.rejects(kids(), isUnavailable)
    assert.equal(state.fetches, 0)
    const fine = setUp({ resolve: async () => ['93.184.216.34', '2606:2800:220:1:248:1893:25c8:1946'] })
    assert.deepEqual(await fine.kids(), ['one'])
  })

  test('fetches with a time limit and without following redirects', async () => {
    let init: RequestInit | undefined
    const fetch = async (_url: string, given: RequestInit) => {
      init = given
      return new Response(set('one'))
    }
    await setUp({ fetch }).kids()
    assert.equal(init?.redirect, 'manual')
    assert.ok(init.signal instanceof AbortSignal)
  })
})
