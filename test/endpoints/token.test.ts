import assert from 'node:assert/strict'
import { decodeJwt } from 'jose'
import { describe, test } from '#test'
import { clientKey, clientRecord } from '../../src/clients/registry.ts'
import { keyOf, toRecord } from '../../src/records/records.ts'
import { RESOURCES } from '../../src/resources/registry.ts'
import { createRevocable } from '../support/revocable.ts'
import { clients, ISSUER } from '../support/world.ts'

/** The server reads tokens up to this length. */
const MAX_JWT_CHARACTERS = 16 * 1024

describe('a token is issued only if the server can read it back', () => {
  test('for scopes of many lengths, each token is refused, or can be introspected and revoked', async () => {
    const { post, as, introspect, revoke } = await createRevocable()
    const sizes = new Set<boolean>()
    const ask = (length: number) =>
      post('/token', { grant_type: 'client_credentials', scope: 's'.repeat(length), ...as('wildcard') })
    for (const length of [10_000, 11_500, ...Array.from({ length: 12 }, (_, index) => 11_680 + index * 8), 13_000]) {
      const { status, answer, reason } = await ask(length)
      sizes.add(status === 200)
      if (status !== 200) {
        assert.deepEqual([status, answer['error'], reason], [400, 'invalid_scope', 'token_too_large'])
        continue
      }
      const token = String(answer['access_token'])
      assert.ok(token.length <= MAX_JWT_CHARACTERS)
      assert.equal((await introspect(token, 'wildcard')).answer['jti'], decodeJwt(token).jti)
      await revoke(token, 'wildcard')
      assert.deepEqual((await introspect(token, 'wildcard')).answer, { active: false })
    }
    assert.deepEqual(sizes, new Set([true, false]))
  })

  test('a token for too many resource servers is invalid_target', async () => {
    const { registry, app, events } = await createRevocable()
    const [client] = await clients()
    const resources = Array.from({ length: 60 }, (_, index) => `https://rs.example/${index}/${'x'.repeat(230)}`)
    for (const resource of resources) await registry.put(keyOf(RESOURCES, resource), toRecord({ resource }))
    const record = clientRecord({ ...client, client_id: 'many', resources })
    await registry.put(clientKey('many'), record)
    const form = [
      ['grant_type', 'client_credentials'],
      ['client_id', 'many'],
      ['client_secret', 'foobar'],
      ...resources.map((resource) => ['resource', resource]),
    ]
    const response = await app.request(`${ISSUER}/token`, { method: 'POST', body: new URLSearchParams(form) })
    const event = events.at(-1)
    assert.equal(((await response.json()) as { error: string }).error, 'invalid_target')
    assert.ok(event?.event === 'request_refused' && event.reason === 'token_too_large' && event.client_id === 'many')
  })
})
