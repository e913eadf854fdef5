import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { OAuthError } from '../../src/errors.ts'
import { grantScopes, splitScope } from '../../src/policy/scope.ts'

describe('splitScope', () => {
  test('splits on spaces only, once each, in order', () => {
    assert.deepEqual(splitScope('  b a\tc  b '), ['b', 'a\tc'])
    assert.deepEqual(splitScope(''), [])
  })
})

describe('grantScopes', () => {
  const permit = { subject: 'a', scope: ['*'], defaultScope: [], resources: [] }
  const scopes = (count: number) => Array.from({ length: count }, (_, index) => `s${index}`).join(' ')

  test('grants up to 1,000 scopes', () => {
    assert.equal(grantScopes(scopes(1000), permit, []).length, 1000)
    assert.throws(
      () => grantScopes(scopes(1001), permit, []),
      (error) => error instanceof OAuthError && error.code === 'invalid_scope' && error.reason === 'scopes_too_many',
    )
  })
})
