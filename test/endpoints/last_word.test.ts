/** An operator's changes prevail over a client that changes its own record all the time. */

import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { hashToken } from '../../src/secrets/hashes.ts'
import type { Registry } from '../../src/stores/contracts.ts'
import { memoryStores } from '../../src/stores/memory.ts'
import { createWorld, ISSUER, NOW } from '../support/world.ts'

const OPERATOR = 'operator-token-operator-token-op'

/** A client that, while it is busy, changes its record between each read and the write that follows. */
async function createBusyClient() {
  const { registry: stored } = memoryStores(() => NOW)
  const state = { isBusy: false, changes: 0 }
  let token = ''
  let path = '/register'
  const interfere = async (): Promise<void> => {
    if (!state.isBusy) return
    state.isBusy = false
    await send('PUT', token, { client_name: `${state.changes++}` })
    state.isBusy = true
  }
  const registry: Registry = {
    ...stored,
    replace: async (...values) => interfere().then(() => stored.replace(...values)),
    remove: async (...values) => interfere().then(() => stored.remove(...values)),
    delete: async (...values) => interfere().then(() => stored.delete(...values)),
  }
  const { app, events } = await createWorld({ registry, operatorTokenHash: await hashToken(OPERATOR) })
  const send = async (method: string, bearer: string, body?: object, headers = {}, suffix = '') => {
    const response = await app.request(ISSUER + path + suffix, {
      method,
      headers: { Authorization: `Bearer ${bearer}`, 'Content-Type': 'application/json', ...headers },
      ...(body && { body: JSON.stringify(body) }),
    })
    return { status: response.status, text: await response.text(), etag: response.headers.get('ETag') ?? '' }
  }
  const made = JSON.parse((await send('POST', OPERATOR, { scope: 'admin' })).text)
  token = made.registration_access_token
  path = `/register/${made.client_id}`
  state.isBusy = true
  return { state, send, token, events }
}

describe('while a client changes its record all the time', () => {
  test('an operator can disable it', async () => {
    const { state, send, token } = await createBusyClient()
    const { status, text } = await send('PUT', OPERATOR, { scope: 'admin', disabled: true })
    assert.deepEqual([status, JSON.parse(text).disabled], [200, true])
    assert.ok(state.changes > 1, 'the client was faster more than once')
    state.isBusy = false
    assert.equal((await send('PUT', token, {})).status, 401)
    assert.equal(JSON.parse((await send('GET', OPERATOR)).text).disabled, true)
  })

  test('an operator can delete it', async () => {
    const { state, send, token } = await createBusyClient()
    assert.equal((await send('DELETE', OPERATOR)).status, 204)
    assert.equal(state.changes, 1)
    state.isBusy = false
    assert.equal((await send('PUT', token, {})).status, 401)
    assert.equal((await send('GET', OPERATOR)).status, 404)
  })

  test("an operator's If-Match still applies", async () => {
    const { send } = await createBusyClient()
    const { etag } = await send('GET', OPERATOR)
    for (const method of ['PUT', 'DELETE']) {
      assert.equal((await send(method, OPERATOR, {}, { 'If-Match': etag })).status, 412)
    }
  })

  test("the client's own changes do not prevail", async () => {
    const { send, token, events } = await createBusyClient()
    assert.equal((await send('POST', token, {}, {}, '/secrets')).status, 409)
    const refused = events.at(-1)
    assert.equal(refused?.event === 'request_refused' && refused.reason, 'record_contended')
    assert.equal((await send('DELETE', token)).status, 412)
  })
})
