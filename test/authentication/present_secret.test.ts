import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { generateSecret } from '../../src/secrets/generated.ts'
import { createWorld } from '../support/world.ts'

describe('a mistyped generated secret', () => {
  const mistyped = generateSecret().slice(0, -1)

  for (const [way, init] of [
    ['in the header', { headers: { Authorization: `Basic ${btoa(`test-client:${mistyped}`)}` }, form: {} }],
    ['in the body', { headers: {}, form: { client_id: 'test-client', client_secret: mistyped } }],
  ] as const) {
    test(`${way} is refused without a comparison, and the event names the client`, async () => {
      const { app, events } = await createWorld()
      const body = new URLSearchParams({ grant_type: 'client_credentials', ...init.form })
      const response = await app.request('/token', { method: 'POST', headers: init.headers, body })
      assert.equal(response.status, 401)
      const { event, reason, client_id } = Object(events.at(-1))
      assert.deepEqual([event, reason, client_id], ['request_refused', 'secret_mistyped', 'test-client'])
    })
  }
})
