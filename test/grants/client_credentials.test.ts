import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { OAuthError } from '../../src/errors.ts'
import { clientCredentials } from '../../src/grants/client_credentials.ts'
import type { Client, Context, FormRequest } from '../../src/types.ts'
import { ISSUER, NOW } from '../support/world.ts'

const request: FormRequest = { headers: new Headers(), form: { get: () => 'evil', getAll: () => ['evil'] } }
const context: Context = { issuer: ISSUER, tokenEndpoint: `${ISSUER}/token`, now: NOW }
const { grantType, permit } = clientCredentials()

describe('clientCredentials', () => {
  test('is the grant of RFC 6749 §4.4', () => assert.equal(grantType, 'client_credentials'))

  const nothing = { subject: 'c', scope: [], defaultScope: [], resources: [] }
  const permits: readonly [name: string, client: Client, permit: object][] = [
    ['nothing where the record allows nothing', { client_id: 'c' }, nothing],
    ['nothing where it allows empty texts', { client_id: 'c', scope: '', default_scope: ' ', resources: [] }, nothing],
    [
      'what the record allows, whatever the request asks',
      { client_id: 'c', scope: 'read users.*', default_scope: 'read', resources: ['urn:a', 'urn:b'] },
      { subject: 'c', scope: ['read', 'users.*'], defaultScope: ['read'], resources: ['urn:a', 'urn:b'] },
    ],
  ]
  for (const [name, client, expected] of permits) {
    test(`permits ${name}`, async () => assert.deepEqual(await permit(request, client, context), expected))
  }

  for (const token_endpoint_auth_method of ['client_secret_basic', 'private_key_jwt', undefined]) {
    test(`permits a client of ${token_endpoint_auth_method}`, async () => {
      assert.deepEqual(await permit(request, { client_id: 'c', token_endpoint_auth_method }, context), nothing)
    })
  }

  test('refuses a public client', async () => {
    const client = { client_id: 'c', token_endpoint_auth_method: 'none', scope: 'read' }
    await assert.rejects(permit(request, client, context), (error) => {
      assert.ok(error instanceof OAuthError)
      assert.deepEqual([error.status, error.code, error.reason], [400, 'unauthorized_client', 'client_public'])
      return true
    })
  })
})
