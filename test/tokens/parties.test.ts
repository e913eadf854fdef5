import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { partiesOf } from '../../src/tokens/parties.ts'

const iss = 'https://tokens.example'
const nested = (levels: number): object | undefined =>
  levels === 0 ? undefined : { sub: `actor-${levels}`, act: nested(levels - 1) }

describe('partiesOf', () => {
  const cases: readonly (readonly [name: string, claims: object, parties: readonly string[]])[] = [
    ['a client for itself', { client_id: 'a', sub: 'a' }, ['a']],
    ['a client for another subject', { client_id: 'a', sub: 'b' }, ['a', 'b']],
    ['all actors', { client_id: 'c', sub: 'a', act: { sub: 'c', act: { sub: 'b' } } }, ['c', 'a', 'b']],
    ['an actor of this issuer', { client_id: 'a', sub: 'a', act: { sub: 'b', iss } }, ['a', 'b']],
    [
      'no actor of another issuer, but those inside it',
      { client_id: 'a', sub: 'a', act: { sub: 'x', iss: 'https://other.example', act: { sub: 'b' } } },
      ['a', 'b'],
    ],
    ['nothing that is not a name', { client_id: 'a', sub: 1, act: { sub: ['b'], act: 'c' } }, ['a']],
    ['no actor of a list', { client_id: 'a', sub: 'a', act: ['b'] }, ['a']],
  ]
  for (const [name, claims, parties] of cases) {
    test(`has ${name}`, () => assert.deepEqual(partiesOf({ iss, ...claims }), parties))
  }

  test('has an end, however deep the actors are', () => {
    assert.equal(partiesOf({ iss, client_id: 'a', sub: 'a', act: nested(100) }).length, 11)
  })
})
