import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { OAuthError } from '../../src/errors.ts'
import type { CredentialKind } from '../../src/features.ts'
import { tokenExchange } from '../../src/grants/token_exchange.ts'
import type { Client, Context, FormRequest } from '../../src/types.ts'
import { ISSUER, NOW } from '../support/world.ts'

const request: FormRequest = { headers: new Headers(), form: { get: () => 'evil', getAll: () => ['evil'] } }
const context: Context = { issuer: ISSUER, tokenEndpoint: `${ISSUER}/token`, now: NOW }
const grant = tokenExchange(async () => 'federation_no_rule')
const client: Client = {
  client_id: 'c',
  token_endpoint_auth_method: 'federated_jwt',
  scope: 'read users.*',
  default_scope: 'read',
  resources: ['urn:a'],
}

describe('tokenExchange', () => {
  test('is the grant of RFC 8693 §2.1, and its tokens are not reused', () => {
    assert.equal(grant.grantType, 'urn:ietf:params:oauth:grant-type:token-exchange')
    assert.equal(grant.isReusable, undefined)
  })

  test('permits what the record allows to a client that the subject token authenticated', async () => {
    assert.deepEqual(await grant.permit(request, client, context, 'subject_token'), {
      subject: 'c',
      scope: ['read', 'users.*'],
      defaultScope: ['read'],
      resources: ['urn:a'],
      response: { issued_token_type: 'urn:ietf:params:oauth:token-type:access_token' },
    })
  })

  const kinds: readonly (CredentialKind | undefined)[] = ['header', 'secret', 'assertion', 'connection', undefined]
  for (const kind of kinds) {
    test(`refuses a client with credentials of the kind ${kind}`, async () => {
      const refusal = (code: string, reason: string) => (error: unknown) => {
        assert.ok(error instanceof OAuthError)
        assert.deepEqual([error.status, error.code, error.reason], [400, code, reason])
        return true
      }
      await assert.rejects(
        grant.permit(request, client, context, kind),
        refusal('invalid_request', 'subject_token_not_alone'),
      )
      const open = { ...client, token_endpoint_auth_method: 'none' }
      await assert.rejects(grant.permit(request, open, context, kind), refusal('unauthorized_client', 'client_public'))
    })
  }
})
