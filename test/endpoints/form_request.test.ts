import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { createWorld, ISSUER } from '../support/world.ts'

describe('a body that breaks off', () => {
  test('is the fault of the sender', async () => {
    const { app, events } = await createWorld()
    const body = new ReadableStream({
      pull: (controller) => controller.error(new Error('aborted')),
    })
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
    const init = { method: 'POST', headers, body, duplex: 'half' } as RequestInit
    const response = await app.fetch(new Request(`${ISSUER}/token`, init))
    assert.equal(response.status, 400)
    const [event] = events
    assert.ok(event?.event === 'request_refused' && event.reason === 'body_malformed')
  })
})
