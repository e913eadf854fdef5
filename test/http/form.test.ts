import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { createWorld, ISSUER } from '../support/world.ts'

describe('a truncated body', () => {
  test('is invalid_request', async () => {
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

describe('a chunked body', () => {
  const send = async (octets: number, headers: Record<string, string>) => {
    const { app, events } = await createWorld()
    const start = 'grant_type=client_credentials&client_id=test-client&client_secret=foobar&x='
    const whole = new TextEncoder().encode(start.padEnd(octets, 'x'))
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let offset = 0; offset < octets; offset += 4096) controller.enqueue(whole.slice(offset, offset + 4096))
        controller.close()
      },
    })
    const type = 'application/x-www-form-urlencoded'
    const init = { method: 'POST', headers: { 'Content-Type': type, ...headers }, body, duplex: 'half' } as RequestInit
    const { status } = await app.fetch(new Request(`${ISSUER}/token`, init))
    const event = events.at(-1)
    return [status, event?.event === 'request_refused' ? event.reason : undefined]
  }

  // RFC 9112 §6.3: Transfer-Encoding overrides Content-Length.
  for (const headers of [
    {},
    { 'Transfer-Encoding': 'chunked' },
    { 'Transfer-Encoding': 'chunked', 'Content-Length': '5' },
  ]) {
    test(`may have 64 KiB and no more: ${JSON.stringify(headers)}`, async () => {
      assert.deepEqual(await send(64 * 1024, headers), [200, undefined])
      assert.deepEqual(await send(64 * 1024 + 1, headers), [413, 'body_too_large'])
    })
  }

  test('may declare a length of 64 KiB', async () => {
    assert.deepEqual(await send(64 * 1024, { 'Content-Length': `${64 * 1024}` }), [200, undefined])
  })

  test('is not refused for a declared length that is empty, zero or negative: the HTTP server checks it', async () => {
    for (const length of ['', '0', '-1', '-Infinity']) {
      assert.deepEqual(await send(100, { 'Content-Length': length }), [200, undefined], length)
    }
  })

  test('is refused for a declared length that is too large or malformed', async () => {
    for (const length of [`${64 * 1024 + 1}`, 'x', 'NaN', '5, 5', '1e9', 'Infinity']) {
      assert.deepEqual(await send(100, { 'Content-Length': length }), [413, 'body_too_large'], length)
    }
  })
})
