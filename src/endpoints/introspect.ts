/** `POST /introspect`: whether a token holds, told to its client and to resource servers it is for. */

import type { Context as HonoContext } from 'hono'
import type { Connection } from '../certificates/client_cert.ts'
import { authenticate } from '../clients/authenticate.ts'
import { invalidToken } from '../errors.ts'
import { signingKeyAt } from '../keys/keyring.ts'
import type { LimitRate } from '../policy/rate_limit.ts'
import { splitScope } from '../policy/scope.ts'
import { audiencesOf, type OwnToken, readOwnToken, scopeOf } from '../tokens/own_token.ts'
import { signJwt } from '../tokens/sign.ts'
import type { Client, Context, FormRequest } from '../types.ts'
import { readBearer } from './bearer.ts'
import { readFormRequest } from './form_request.ts'
import { jsonHeaders } from './respond.ts'
import { type RevokeParts, readTokenParameter } from './revoke.ts'

export interface IntrospectParts extends RevokeParts {
  readonly limitRate: LimitRate
}

/** Scope of a bearer token that may ask. */
const SCOPE = 'introspection'

/** RFC 9701 §5. */
const SIGNED_TYPE = 'token-introspection+jwt'

/**
 * Answers what a token says while it is active and the caller may know, else that it is not active and nothing more.
 *
 * @throws OAuthError as client authentication does, `invalid_token`, `temporarily_unavailable`
 * @see RFC 7662 §2, RFC 9701 §4
 */
export async function introspect(
  c: HonoContext<{ Bindings: Connection }>,
  contextOf: () => Context,
  parts: IntrospectParts,
): Promise<Response> {
  const request = await readFormRequest(c, parts.findCertificate)
  const context = contextOf()
  const caller = await callerOf(request, context, parts)
  parts.limitRate(caller.client_id, context.now)
  const token = await activeToken(readTokenParameter(request.form), context, parts)
  const answer = token !== undefined && maySee(caller, token) ? describe(token) : { active: false }
  const isSigned = c.req.header('Accept')?.toLowerCase().includes(`application/${SIGNED_TYPE}`)
  if (!isSigned) return new Response(JSON.stringify(answer), { headers: jsonHeaders })
  const headers = { ...jsonHeaders, 'Content-Type': `application/${SIGNED_TYPE}` }
  return new Response(await sign(answer, caller, context, parts), { headers })
}

/** Any client by its own method, or who bears a token of ours with the scope for it. */
async function callerOf(request: FormRequest, context: Context, parts: IntrospectParts): Promise<Client> {
  if (!/^bearer( |$)/i.test(request.headers.get('Authorization') ?? '')) {
    return authenticate(parts.clientAuth, parts.findClient, request, context)
  }
  const token = await activeToken(readBearer(request.headers), context, parts)
  // A token that is bound to a key would need a proof of it, and one for somebody else is none for us.
  const isForUs = token !== undefined && audiencesOf(token).includes(context.issuer) && !('cnf' in token.claims)
  if (!isForUs || !splitScope(scopeOf(token)).includes(SCOPE)) throw invalidToken('token_wrong')
  const client = await parts.findClient(token.client_id)
  if (client === undefined || client.disabled) throw invalidToken('token_wrong')
  return { ...client, introspection: true }
}

async function activeToken(jws: string, context: Context, parts: IntrospectParts): Promise<OwnToken | undefined> {
  const token = await readOwnToken(jws, { ...context, keyring: parts.keyring })
  return token === undefined || (await parts.revocations.isRevoked(token)) ? undefined : token
}

/** Its own tokens anybody; those for one of its resources who is a resource server. */
function maySee({ client_id, introspection, resources = [] }: Client, token: OwnToken): boolean {
  const isFor = audiencesOf(token).some((audience) => resources.some((resource) => resource === audience))
  return token.client_id === client_id || (introspection === true && isFor)
}

/** @see RFC 7662 §2.2 */
function describe(token: OwnToken): Readonly<Record<string, unknown>> {
  const { scp: _list, cnf, ...claims } = token.claims
  const isDpop = typeof cnf === 'object' && cnf !== null && 'jkt' in cnf
  const token_type = isDpop ? 'DPoP' : 'bearer'
  return { active: true, ...claims, ...(cnf !== undefined && { cnf }), scope: scopeOf(token), token_type }
}

function sign(
  token_introspection: object,
  caller: Client,
  { issuer, now }: Context,
  parts: IntrospectParts,
): Promise<string> {
  const claims = { iss: issuer, aud: caller.client_id, iat: now, token_introspection: { ...token_introspection } }
  return signJwt(claims, SIGNED_TYPE, signingKeyAt(parts.keyring, now))
}
