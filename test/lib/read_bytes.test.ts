import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { readBytes } from '../../src/lib/read_bytes.ts'

const chunks = ['ab', 'c', 'de'].map((text) => new TextEncoder().encode(text))

/** A body of these chunks, repeated without end if `isEndless`. */
function body(isEndless = false) {
  let sent = 0
  const state = { isCancelled: false }
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      const chunk = chunks[isEndless ? sent % chunks.length : sent]
      sent++
      if (chunk === undefined) controller.close()
      else controller.enqueue(chunk)
    },
    cancel() {
      state.isCancelled = true
    },
  })
  return { state, response: new Response(stream) }
}

describe('readBytes', () => {
  test('joins the chunks of a body that is exactly as long as the limit', async () => {
    assert.equal(new TextDecoder().decode(await readBytes(body().response, 5)), 'abcde')
  })

  test('rejects a body one octet longer', async () => {
    await assert.rejects(readBytes(body().response, 4), RangeError)
  })

  test('reads no further than the limit', async () => {
    const { state, response } = body(true)
    await assert.rejects(readBytes(response, 1000), RangeError)
    assert.ok(state.isCancelled)
  })

  test('accepts a response without a body', async () => {
    assert.equal((await readBytes(new Response(null, { status: 204 }), 0)).length, 0)
  })
})
