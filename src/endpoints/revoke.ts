/** `POST /revoke`: a client revokes one of its own tokens. */

import { Hono, type Context as HonoContext } from 'hono'
import { type Authentication, authMetadata } from '../authentication/authenticate.ts'
import type { Connection, FindCertificate } from '../certificates/client_cert.ts'
import { invalidRequest } from '../errors.ts'
import type { Emit } from '../events/events.ts'
import { emitFrom } from '../http/caller.ts'
import { readFormRequest } from '../http/form.ts'
import { securityHeaders } from '../http/respond.ts'
import type { Keyring } from '../keys/keyring.ts'
import { readOwnToken } from '../tokens/own_token.ts'
import type { Revocations } from '../tokens/revocations.ts'
import type { Form } from '../types.ts'
import { contextOf, type Endpoint, type Site } from './endpoint.ts'
import { CREDENTIALS } from './operation.ts'

export interface RevokeOptions {
  readonly authentication: Authentication
  readonly findCertificate: FindCertificate
  readonly keyring: Keyring
  readonly revocations: Revocations
  readonly emit: Emit
}

/**
 * Returns the revocation endpoint.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7009#section-2 RFC 7009 §2}
 */
export function revokeEndpoint(options: RevokeOptions): Endpoint {
  return {
    path: '/revoke',
    metadataMember: 'revocation_endpoint',
    metadata: authMetadata('revocation', options.authentication),
    operations: {
      '/revoke': {
        post: {
          operationId: 'revokeToken',
          tag: 'Tokens',
          summary: 'Revokes a token of the client, RFC 7009 §2',
          form: { token: { required: true }, token_type_hint: {}, ...CREDENTIALS },
          answers: { 200: null },
          errors: [400, 401, 413, 415, 503],
          security: 'client',
          example: { token: 'eyJhbGciOiJFUzI1NiJ9.e30.c2lnbmF0dXJl' },
        },
      },
    },
    routes: (site) => new Hono<{ Bindings: Connection }>().post('/', (c) => revoke(c, site, options)),
  }
}

/** Always answers 200, so the response does not reveal whether the token is unknown, expired or of another client. */
async function revoke(c: HonoContext<{ Bindings: Connection }>, site: Site, options: RevokeOptions): Promise<Response> {
  const request = await readFormRequest(c, options.findCertificate)
  const context = contextOf(site, c)
  const {
    client: { client_id },
  } = await options.authentication.authenticate(request, context)
  const token = readTokenParameter(request.form)
  const own = await readOwnToken(token, { ...context, keyring: options.keyring })
  if (own?.client_id === client_id) {
    const { cutAt } = await options.revocations.revoke(own)
    if (cutAt === undefined) emitFrom(c, options.emit, { event: 'token_revoked', client_id, jti: own.jti })
    else emitFrom(c, options.emit, { event: 'tokens_cut', before: cutAt, client_id })
  }
  return new Response(null, { headers: { ...securityHeaders, 'Cache-Control': 'no-store' } })
}

/**
 * Returns the parameter `token`. `token_type_hint` is ignored, because there is only one type of token.
 *
 * @throws OAuthError `invalid_request` when the parameter is missing
 */
export function readTokenParameter(form: Form): string {
  const token = form.get('token')
  if (token === null) throw invalidRequest('token_parameter_missing', 'The parameter token is missing.')
  return token
}
