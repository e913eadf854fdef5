import assert from 'node:assert/strict'
import { hash } from 'bcrypt-ts/browser'
import { describe, test } from '#test'
import { attacked, COST, clientOf, foobar, gate, other, RIGHT, setUp } from '../support/verifier.ts'

describe('guessing at one client', () => {
  test("uses half of the client's allowance, then an eighth of the time", async () => {
    const { state, guess } = setUp()
    for (let index = 0; index < 9; index++) assert.equal(await guess(attacked), 'secret_wrong')
    assert.equal(await guess(attacked), 1)
    state.milliseconds = 8 * COST - 0.1
    assert.equal(await guess(attacked), 1)
    state.milliseconds = 8 * COST
    assert.equal(await guess(attacked), 'secret_wrong')
    assert.equal(await guess(attacked), 1)
    state.milliseconds = 1_000_000
    for (let index = 0; index < 9; index++) assert.equal(await guess(attacked), 'secret_wrong')
    assert.equal(await guess(attacked), 1)
  })

  test('leaves other clients their allowance, and does not delay verified clients', async () => {
    const { state, verify, guess } = setUp()
    assert.equal(await verify(clientOf('known'), RIGHT), 'right')
    while ((await guess(attacked)) === 'secret_wrong');
    assert.equal(await verify(clientOf('known'), RIGHT), 'right')
    for (let index = 0; index < 11; index++) assert.equal(await verify(clientOf(`other-${index}`), RIGHT), 'right')
    assert.equal(await guess(other), 'secret_wrong')
    assert.equal(state.milliseconds, 0)
  })

  test('does not keep out the right secret when it comes back once, at any rate of guesses', async () => {
    const { state, verify, guess } = setUp()
    while ((await guess(attacked)) === 'secret_wrong');
    assert.equal(await verify(attacked, RIGHT), 1)
    for (; state.milliseconds < 1000; state.milliseconds++) await guess(attacked)
    assert.equal(await verify(attacked, RIGHT), 'right')
  })

  test('with each guess sent twice, does not keep out the right secret when it comes back twice', async () => {
    const { state, verify } = setUp()
    const guessAll = async () => {
      for (let index = 0; index < 100; index++)
        await verify(attacked, `${Math.floor(state.milliseconds / 2000)}-${index}`)
    }
    await guessAll()
    assert.equal(await verify(attacked, RIGHT), 1)
    state.milliseconds += 1000
    await guessAll()
    assert.equal(await verify(attacked, RIGHT), 1)
    state.milliseconds += 1000
    await guessAll()
    assert.equal(await verify(attacked, RIGHT), 'right')
  })

  test('gains nothing from repeating a guess within a second', async () => {
    const { verify, guess } = setUp()
    while ((await guess(attacked)) === 'secret_wrong');
    for (let index = 0; index < 100; index++) assert.equal(await verify(attacked, 'wrong'), 1)
  })

  test('lets 64 clients wait for their turn and turns away the others', async () => {
    const { onCompare, started, release } = gate()
    const { verify, guess } = setUp({ onCompare })
    const first = guess(attacked)
    await started
    const clients = Array.from({ length: 80 }, (_, index) => clientOf(`c-${index}`))
    const waiting = clients.map((client) => verify(client, RIGHT))
    const refused = Promise.withResolvers<void>()
    let count = 0
    for (const answer of waiting) void answer.then((value) => value === 1 && ++count === 80 - 64 && refused.resolve())
    await refused.promise
    release()
    assert.equal(await first, 'secret_wrong')
    assert.equal((await Promise.all(waiting)).filter((answer) => answer === 'right').length, 64)
  })

  test('a right secret is not charged, even if other hashes were compared before', async () => {
    const { verify, guess } = setUp()
    const hashes = [await hash('one', 4), await hash('two', 4), foobar]
    const client_secrets = hashes.map((hash, index) => ({ id: `${index}`, hash }))
    for (let index = 0; index < 100; index++) {
      assert.equal(await verify({ client_id: `c-${index}`, client_secrets }, RIGHT), 'right')
    }
    for (let index = 0; index < 9; index++) assert.equal(await guess(attacked), 'secret_wrong')
  })

  test('a secret that bcrypt cannot take costs nothing', async () => {
    const { state, verify } = setUp()
    for (let index = 0; index < 1000; index++) {
      assert.equal(await verify(attacked, `${index}`.padEnd(73, 'x')), 'secret_wrong')
    }
    assert.equal(state.compared, 0)
    assert.equal(await verify(attacked, RIGHT), 'right')
  })
})

describe('guessing at many clients', () => {
  test('gets what they cost once, then a quarter of the time; another client is in at once', async () => {
    const { state, verify, guess } = setUp()
    const guessAtAll = async () => {
      let compared = 0
      for (let index = 0; index < 100; index++) if ((await guess(clientOf(`c-${index}`))) === 'secret_wrong') compared++
      return compared
    }
    assert.equal(await guessAtAll(), 100)
    assert.equal(await guessAtAll(), 0)
    // Half of the allowance of all, 64 comparisons, may be spent by newcomers; the rest has to be paid off first.
    state.milliseconds = (100 - 32) * 4 * COST
    assert.equal(await guessAtAll(), 1)
    state.milliseconds += 10 * 4 * COST
    assert.equal(await guessAtAll(), 10)
    assert.equal(await verify(other, RIGHT), 'right')
  })
})
