import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { generateKey } from '../../src/keys/key_set.ts'
import { rotate } from '../../src/keys/rotation.ts'
import { NOW } from '../support/world.ts'

const RETIRED_SECONDS = 1860
const options = { announceSeconds: 100, retiredSeconds: RETIRED_SECONDS, now: NOW }

describe('rotate', () => {
  /** Keys as `alg@signs_from`; the new one is marked with a `+`. */
  const rows: readonly [name: string, alg: string, before: string[], after: string[]][] = [
    ['the only key', 'ES256', ['ES256@0'], ['+ES256@100', 'ES256@0']],
    ['the first of two algorithms', 'ES256', ['ES256@0', 'EdDSA@0'], ['+ES256@100', 'ES256@0', 'EdDSA@0']],
    ['the second of two algorithms', 'EdDSA', ['ES256@0', 'EdDSA@0'], ['ES256@0', '+EdDSA@100', 'EdDSA@0']],
    ['a new algorithm', 'ES384', ['ES256@0', 'EdDSA@0'], ['ES256@0', 'EdDSA@0', '+ES384@0']],
    ['before one that is announced', 'ES256', ['ES256@50', 'ES256@0'], ['+ES256@100', 'ES256@50', 'ES256@0']],
    ['with one that retired', 'ES256', ['ES256@-1860', 'ES256@-9999'], ['+ES256@100', 'ES256@-1860', 'ES256@-9999']],
    ['with one that expired', 'ES256', ['ES256@-1861', 'ES256@-9999'], ['+ES256@100', 'ES256@-1861']],
    [
      'with an expired one of another algorithm',
      'ES256',
      ['EdDSA@-1861', 'EdDSA@-9999', 'ES256@0'],
      ['EdDSA@-1861', '+ES256@100', 'ES256@0'],
    ],
    ['an empty set', 'ES256', [], ['+ES256@0']],
  ]
  for (const [name, alg, before, after] of rows) {
    test(`${name}: ${after.join(', ')}`, async () => {
      const keys = await Promise.all(
        before.map((each) => {
          const [of = '', from] = each.split('@')
          return generateKey(of, from === '0' ? 0 : NOW + Number(from))
        }),
      )
      const rotated = await rotate(keys, { ...options, alg })
      const shown = rotated.map((jwk) => {
        const { alg: of, signs_from = NOW } = jwk
        return `${keys.includes(jwk) ? '' : '+'}${of}@${signs_from - NOW}`
      })
      assert.deepEqual(shown, after)
    })
  }

  test('does not change existing keys or their unknown members', async () => {
    const key = { ...(await generateKey('ES256')), note: 'ours' }
    const [, kept] = await rotate([key], { ...options, alg: 'ES256' })
    assert.equal(kept, key)
  })
})
