import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { lineWriter } from '../../src/runtime/line_writer.ts'

/** A reader that can be made to stall and to fail. */
function reader() {
  const texts: string[] = []
  const state = { stalls: false, fails: false, goOn: () => {} }
  const writer = lineWriter(
    (text) => {
      if (state.fails && !state.stalls) throw new Error('EPIPE')
      if (!state.stalls) return void texts.push(text)
      return new Promise<void>((resolve, reject) => {
        state.goOn = () => {
          if (state.fails) return reject(new Error('EPIPE'))
          texts.push(text)
          resolve()
        }
      })
    },
    (lines) => `lost ${lines}`,
  )
  const lines = () => texts.join('').split('\n').slice(0, -1)
  return { state, writer, texts, lines }
}

describe('lineWriter', () => {
  test('writes each line at once while the reader keeps up', () => {
    const { writer, texts } = reader()
    writer.write('a')
    writer.write('b')
    assert.deepEqual(texts, ['a\n', 'b\n'])
  })

  test('queues lines in order while the reader stalls, and writes them together when it continues', async () => {
    const { state, writer, texts } = reader()
    state.stalls = true
    for (const line of ['a', 'b', 'c']) writer.write(line)
    assert.deepEqual(texts, [])
    state.stalls = false
    state.goOn()
    await writer.written()
    writer.write('d')
    assert.deepEqual(texts, ['a\n', 'b\nc\n', 'd\n'])
  })

  test('drops lines beyond 4 Mi queued characters, and reports their number after the queued lines', async () => {
    const { state, writer, lines } = reader()
    state.stalls = true
    const long = 'x'.repeat(1024 * 1024)
    const sent = ['first', long, long, long, long, 'dropped', 'dropped']
    for (const line of sent) writer.write(line)
    state.stalls = false
    state.goOn()
    await writer.written()
    writer.write('next')
    assert.deepEqual(lines(), ['first', long, long, long, long, 'lost 2', 'next'])
  })

  for (const stalls of [false, true]) {
    test(`never throws, and reports the lines that failed ${stalls ? 'later' : 'at once'}`, async () => {
      const { state, writer, lines } = reader()
      Object.assign(state, { stalls, fails: true })
      writer.write('a')
      state.goOn()
      await writer.written()
      writer.write('b')
      state.goOn()
      await writer.written()
      Object.assign(state, { stalls: false, fails: false })
      writer.write('c')
      writer.write('d')
      assert.deepEqual(lines(), ['c', 'lost 2', 'd'])
    })
  }
})
