import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { attribute } from '../src/attribution.ts'
import { invalidScope, OAuthError, temporarilyUnavailable } from '../src/errors.ts'
import { singleFlight } from '../src/lib/single_flight.ts'

describe('OAuthError', () => {
  test('keeps its description to the characters of RFC 6749 §5.2, whatever is echoed in it', () => {
    const all = Array.from({ length: 0x120 }, (_, code) => String.fromCharCode(code)).join('')
    assert.match(invalidScope('scope_not_allowed', all).message, /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/)
  })
})

describe('attribute', () => {
  test('names the client of each caller, where several share one failure', async () => {
    const cause = new Error('down')
    const flight = singleFlight<never>(1)
    const fail = () => Promise.reject(temporarilyUnavailable('store_failed', 'Try again.', cause, 7))
    const clients = ['alice', 'bob', 'carol']
    const outcomes = await Promise.allSettled(clients.map((id) => attribute(id, () => flight('key', fail))))
    const errors = outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason : undefined))
    for (const [index, error] of errors.entries()) {
      assert.ok(error instanceof OAuthError)
      const { code, reason, message, status, headers, clientId } = error
      assert.deepEqual(
        { code, reason, message, status, headers, clientId },
        {
          code: 'temporarily_unavailable',
          reason: 'store_failed',
          message: 'Try again.',
          status: 503,
          headers: { 'Retry-After': '7' },
          clientId: clients[index],
        },
      )
      assert.equal(error.cause, cause)
    }
  })

  test('passes other errors on as they are', async () => {
    const error = new Error('x')
    await assert.rejects(
      attribute('a', () => Promise.reject(error)),
      (thrown) => thrown === error,
    )
  })
})
