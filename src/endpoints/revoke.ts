/** `POST /revoke`: a client takes back a token of its own. */

import type { Context as HonoContext } from 'hono'
import type { Connection } from '../certificates/client_cert.ts'
import { authenticate } from '../clients/authenticate.ts'
import { invalidRequest } from '../errors.ts'
import type { Emit } from '../events/events.ts'
import { readOwnToken } from '../tokens/own_token.ts'
import type { Revocations } from '../tokens/revocations.ts'
import type { Context, Form } from '../types.ts'
import { readFormRequest } from './form_request.ts'
import { jsonHeaders } from './respond.ts'
import type { TokenParts } from './token.ts'

export interface RevokeParts extends TokenParts {
  readonly revocations: Revocations
  readonly emit: Emit
}

/**
 * Answers 200 whether there was something to revoke or not: an unknown, foreign or expired token is told by nothing.
 *
 * @throws OAuthError as client authentication does, `temporarily_unavailable`
 * @see RFC 7009 §2
 */
export async function revoke(
  c: HonoContext<{ Bindings: Connection }>,
  contextOf: () => Context,
  parts: RevokeParts,
): Promise<Response> {
  const request = await readFormRequest(c, parts.findCertificate)
  const context = contextOf()
  const { client_id } = await authenticate(parts.clientAuth, parts.findClient, request, context)
  const token = readTokenParameter(request.form)
  const own = await readOwnToken(token, { ...context, keyring: parts.keyring })
  if (own?.client_id === client_id) {
    const { cutAt } = await parts.revocations.revoke(own, context.now)
    if (cutAt === undefined) parts.emit({ event: 'token_revoked', client_id, jti: own.jti })
    else parts.emit({ event: 'tokens_cut', before: cutAt, client_id })
  }
  return new Response(null, { headers: { 'Cache-Control': jsonHeaders['Cache-Control'] ?? '' } })
}

/** A `token_type_hint` says nothing here: there is one type of token. */
export function readTokenParameter(form: Form): string {
  const token = form.get('token')
  if (token === null) throw invalidRequest('token_parameter_missing', 'The parameter token is missing.')
  return token
}
