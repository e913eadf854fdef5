import assert from 'node:assert/strict'
import { decodeJwt } from 'jose'
import { describe, test } from '#test'
import { clientKey, clientRecord } from '../../src/clients/registry.ts'
import { OAuthError } from '../../src/errors.ts'
import type { ClientAuth, Grant } from '../../src/features.ts'
import type { Permit } from '../../src/permit.ts'
import { createWorld, ISSUER, NOW } from '../support/world.ts'

const TYPE = 'urn:example:fixed'

/** Asks for a token by a grant that permits this. */
async function grantOf(permit: Partial<Permit>) {
  const fixed: Grant = {
    grantType: TYPE,
    parameters: { subject_token: { required: true }, actor_token: { description: 'Who acts' } },
    permit: async () => ({ subject: 'user', scope: ['read'], defaultScope: ['read'], resources: [], ...permit }),
  }
  const { app, events, registry } = await createWorld({ grants: [fixed] })
  const record = JSON.parse((await registry.get('client:test-client')) ?? '')
  await registry.put('client:test-client', JSON.stringify({ ...record, grant_types: [TYPE] }))
  const body = new URLSearchParams({ grant_type: TYPE, client_id: 'test-client', client_secret: 'foobar' })
  const response = await app.request(`${ISSUER}/token`, { method: 'POST', body })
  const answer = (await response.json()) as Record<string, unknown>
  return { answer, claims: decodeJwt(String(answer['access_token'])), event: events.at(-1), app }
}

describe('what a permit carries', () => {
  test('its subject is named by the event, since it is not the client', async () => {
    const { claims, event } = await grantOf({})
    assert.deepEqual([claims.sub, claims['client_id']], ['user', 'test-client'])
    assert.ok(event?.event === 'token_issued' && event.sub === 'user')
  })

  test('its actor becomes the act of the token, whatever the client record says', async () => {
    const actor = { sub: 'agent', act: { sub: 'gateway' } }
    assert.deepEqual((await grantOf({ actor })).claims['act'], actor)
    assert.equal('act' in (await grantOf({})).claims, false)
  })

  for (const [name, expiresAt, expected] of [
    ['sooner than the settings allow', NOW + 60, NOW + 60],
    ['later', NOW + 9999, NOW + 1800],
    ['not at all', undefined, NOW + 1800],
  ] as const) {
    test(`its end, ${name}`, async () => {
      const { claims, answer } = await grantOf(expiresAt === undefined ? {} : { expiresAt })
      assert.deepEqual([claims.exp, answer['expires_in']], [expected, expected - NOW])
    })
  }

  test('its members of the response are added, and take the place of none of ours', async () => {
    const response = {
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: 'N_A',
      scope: 'x',
    }
    const { answer } = await grantOf({ response })
    assert.equal(answer['issued_token_type'], response.issued_token_type)
    assert.deepEqual([answer['token_type'], answer['scope']], ['bearer', 'read'])
  })
})

test('the parameters of a grant are in the OpenAPI document', async () => {
  const { app } = await grantOf({})
  const document = (await (await app.request(`${ISSUER}/openapi.json`)).json()) as {
    paths: Record<string, { post: { requestBody: { content: Record<string, { schema: { properties: object } }> } } }>
  }
  const [form] = Object.values(document.paths['/token']?.post.requestBody.content ?? {})
  assert.deepEqual(Object.keys(form?.schema.properties ?? {}).slice(4, 6), ['subject_token', 'actor_token'])
})

describe('a refusal with a reason of its own', () => {
  const asked = async (clientAuth: readonly ClientAuth[], grant: Grant) => {
    const { app, events, registry } = await createWorld({ clientAuth, grants: [grant] })
    const client = { client_id: 'own', token_endpoint_auth_method: 'own', grant_types: [TYPE] }
    await registry.put(clientKey('own'), clientRecord(client))
    const body = new URLSearchParams({ grant_type: TYPE, client_id: 'own' })
    const response = await app.request(`${ISSUER}/token`, { method: 'POST', body })
    const event = events.at(-1)
    assert.ok(event?.event === 'request_refused')
    return [response.status, await response.json(), event.reason]
  }
  const own = (reason: `x_${string}` | undefined): ClientAuth => ({
    method: 'own',
    reads: 'secret',
    read: () => ({ client_id: 'own', verify: async () => reason }),
  })
  const refusing: Grant = {
    grantType: TYPE,
    permit: async () => {
      throw new OAuthError('invalid_request', 'x_label_unknown', 'The label is unknown.')
    },
  }

  test('reaches the event, not the wire', async () => {
    assert.deepEqual(await asked([own(undefined)], refusing), [
      400,
      { error: 'invalid_request', error_description: 'The label is unknown.' },
      'x_label_unknown',
    ])
    assert.deepEqual(await asked([own('x_badge_lost')], refusing), [
      401,
      { error: 'invalid_client', error_description: 'Client authentication failed.' },
      'x_badge_lost',
    ])
  })
})
