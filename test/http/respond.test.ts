import assert from 'node:assert/strict'
import { Hono } from 'hono'
import { describe, test } from '#test'
import { invalidRequest, temporarilyUnavailable } from '../../src/errors.ts'
import type { ServerEvent } from '../../src/events/events.ts'
import { refuse } from '../../src/http/respond.ts'

async function refused(thrown: unknown, headers: Record<string, string> = {}) {
  const events: ServerEvent[] = []
  const app = new Hono()
  app.get('/', (c) => refuse(c, thrown, (event) => events.push(event)))
  const response = await app.request('/', { headers })
  const [event] = events
  assert.ok(event?.event === 'request_refused')
  return { response, text: await response.text(), event }
}

const cause = new Error('quotes what the client sent')

describe('refuse', () => {
  test('reports the cause of a server failure to the audit only', async () => {
    const { event, text } = await refused(temporarilyUnavailable('store_failed', 'No store.', cause))
    assert.equal(event.cause, 'Error: quotes what the client sent')
    assert.ok(!text.includes('quotes'))
  })

  test('reports no cause of a client error', async () => {
    const { event, text } = await refused(invalidRequest('body_malformed', 'No form.', { cause }))
    assert.equal('cause' in event, false)
    assert.ok(!text.includes('quotes'))
  })

  test('reports only the place of an unexpected exception', async () => {
    const { event, text, response } = await refused(cause)
    assert.deepEqual([response.status, event.reason], [500, 'internal'])
    assert.ok(!`${event.cause}${text}`.includes('quotes'))
  })
})
