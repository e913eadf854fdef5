import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { MAX_SECRETS } from '../../src/clients/members.ts'
import { addSecret, type MadeSecret } from '../../src/clients/secret_list.ts'
import type { ClientSecret } from '../../src/types.ts'
import { NOW } from '../support/world.ts'

const secret = (id: string, expires_at?: number): ClientSecret => ({
  id,
  hash: '$sha256$',
  ...(expires_at !== undefined && { expires_at }),
})
const made: MadeSecret = { secret: secret('made', 0), client_secret: 'emint_' }
const ends = (secrets: readonly ClientSecret[]) => secrets.map(({ id, expires_at }) => [id, expires_at])

describe('addSecret', () => {
  const held = [secret('sooner', NOW + 10), secret('later', NOW + 100), secret('never', 0), secret('unset')]

  test('leaves the others as they are when no end is given', () => {
    assert.deepEqual(addSecret(held, made, NOW, undefined), [...held, made.secret])
  })

  test('ends the others at the given instant, and none of them later than before', () => {
    assert.deepEqual(ends(addSecret(held, made, NOW, NOW + 60)), [
      ['sooner', NOW + 10],
      ['later', NOW + 60],
      ['never', NOW + 60],
      ['unset', NOW + 60],
      ['made', 0],
    ])
  })

  for (const keepOthersUntil of [undefined, NOW + 60]) {
    test(`drops what has expired, others ending at ${keepOthersUntil}`, () => {
      const expired = Array.from({ length: MAX_SECRETS }, (_, index) => secret(`expired-${index}`, NOW - index))
      const added = addSecret([...expired, secret('live', NOW + 1)], made, NOW, keepOthersUntil)
      assert.deepEqual(ends(added), [
        ['live', NOW + 1],
        ['made', 0],
      ])
    })

    test(`refuses one more than ${MAX_SECRETS} live ones, others ending at ${keepOthersUntil}`, () => {
      const full = Array.from({ length: MAX_SECRETS }, (_, index) => secret(`live-${index}`))
      assert.equal(addSecret(full.slice(1), made, NOW, keepOthersUntil).length, MAX_SECRETS)
      assert.throws(() => addSecret(full, made, NOW, keepOthersUntil), /there are already \d+ live secrets/)
    })
  }
})
