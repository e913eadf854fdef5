import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { attacked, clientOf, gate, other, RIGHT, setUp } from '../support/verifier.ts'

describe('slow comparisons', () => {
  test('run one at a time', async () => {
    const running = { now: 0, most: 0 }
    const onCompare = async () => {
      running.most = Math.max(running.most, ++running.now)
      await new Promise((resolve) => setTimeout(resolve, 1))
      running.now--
    }
    const { verify } = setUp({ onCompare })
    const answers = await Promise.all(Array.from({ length: 10 }, (_, index) => verify(clientOf(`c-${index}`), RIGHT)))
    assert.ok(answers.every((answer) => answer === 'right'))
    assert.equal(running.most, 1)
  })

  test("one secret of a client waits while another client's is compared; further secrets of that client are refused at once", async () => {
    const { onCompare, started, release } = gate()
    const { verify, guess } = setUp({ onCompare })
    const running = verify(other, RIGHT)
    await started
    const refused = Promise.withResolvers<void>()
    let count = 0
    const guesses = Array.from({ length: 6 }, async () => {
      const answer = await guess(attacked)
      if (answer === 1 && ++count === 5) refused.resolve()
      return answer
    })
    await refused.promise
    const third = verify(clientOf('third'), RIGHT)
    release()
    assert.deepEqual(await Promise.all([running, third]), ['right', 'right'])
    assert.equal((await Promise.all(guesses)).filter((answer) => answer === 'secret_wrong').length, 1)
  })

  test('a secret that has waited and come back takes the waiting place of one that has not', async () => {
    const { onCompare, started, release } = gate()
    const { state, verify, guess } = setUp({ onCompare })
    const running = verify(other, RIGHT)
    await started
    const guesses = [guess(attacked), guess(attacked)]
    assert.equal(await Promise.race(guesses), 1)
    assert.equal(await verify(attacked, RIGHT), 1)
    state.milliseconds += 900
    const right = verify(attacked, RIGHT)
    assert.deepEqual(await Promise.all(guesses), [1, 1])
    assert.equal(await guess(attacked), 1)
    release()
    assert.deepEqual(await Promise.all([running, right]), ['right', 'right'])
  })

  /** A first comparison that never ends, as on Workers when its request is cancelled. */
  function stopping() {
    const { onCompare, started } = gate()
    let count = 0
    return { onCompare: () => (count++ === 0 ? onCompare() : undefined), started }
  }

  test('a comparison that stops silently keeps its turn for one second only', async () => {
    const { onCompare, started } = stopping()
    const { state, verify, guess } = setUp({ onCompare })
    void guess(attacked)
    await started
    state.milliseconds = 1001
    assert.equal(await verify(other, RIGHT), 'right')
  })

  test('a comparison that stops silently answers 503 to the requests that share it', async () => {
    const { onCompare, started } = stopping()
    const { state, verify } = setUp({ onCompare, maxSharedSeconds: 0.05 })
    void verify(attacked, RIGHT)
    await started
    assert.equal(await verify(attacked, RIGHT), 1)
    state.milliseconds = 1001
    assert.equal(await verify(attacked, RIGHT), 'right')
  })
})
