/** `POST /introspect`: reports whether a token is active, to its client and to the resource servers in its audience. */

import { Hono, type Context as HonoContext } from 'hono'
import { attribute, withClient } from '../attribution.ts'
import { type Authentication, authMetadata } from '../authentication/authenticate.ts'
import type { Connection, FindCertificate } from '../certificates/client_cert.ts'
import { invalidClient, invalidRequest, invalidToken } from '../errors.ts'
import { readBearer } from '../http/bearer.ts'
import { readFormRequest } from '../http/form.ts'
import { jsonHeaders } from '../http/respond.ts'
import { type Keyring, signingKeyOf } from '../keys/keyring.ts'
import type { LimitRate } from '../policy/rate_limit.ts'
import { splitScope } from '../policy/scope.ts'
import { activeTokens, type FindActive } from '../tokens/active_token.ts'
import { audiencesOf, type OwnToken, scopeOf } from '../tokens/own_token.ts'
import type { Revocations } from '../tokens/revocations.ts'
import { signJwt } from '../tokens/sign.ts'
import type { Client, Context, Form, FormRequest } from '../types.ts'
import { contextOf, type Endpoint, type Site } from './endpoint.ts'
import { CREDENTIALS, type NamedSchema } from './operation.ts'
import { readTokenParameter } from './revoke.ts'

export interface IntrospectOptions {
  readonly authentication: Authentication
  readonly findCertificate: FindCertificate
  readonly keyring: Keyring
  readonly revocations: Revocations
  readonly limitRate: LimitRate
}

/** The options, and what is made from them once. */
interface Introspection extends IntrospectOptions {
  readonly findActive: FindActive
}

/** The scope that the bearer token of a caller needs. */
const SCOPE = 'introspection'

/** RFC 9701 §5. */
const SIGNED_TYPE = 'token-introspection+jwt'

const INTROSPECTION: NamedSchema = {
  name: 'Introspection',
  schema: { type: 'object', properties: { active: { type: 'boolean' } }, required: ['active'] },
}

/**
 * Returns the introspection endpoint.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7662#section-2 RFC 7662 §2}, {@link https://www.rfc-editor.org/rfc/rfc9701#section-4 RFC 9701 §4}
 */
export function introspectEndpoint(options: IntrospectOptions): Endpoint {
  const { authentication, keyring, revocations } = options
  const { findClient } = authentication
  const findActive = activeTokens({ keyring, findClient, isRevoked: revocations.isRevoked })
  const service = { ...options, findActive }
  return {
    path: '/introspect',
    metadataMember: 'introspection_endpoint',
    metadata: {
      ...authMetadata('introspection', options.authentication),
      introspection_signing_alg_values_supported: options.keyring.algorithms,
    },
    operations: {
      '/introspect': {
        post: {
          operationId: 'introspectToken',
          tag: 'Tokens',
          summary: 'Reports whether a token is active, RFC 7662 §2',
          form: { token: { required: true }, token_type_hint: {}, ...CREDENTIALS },
          answers: { 200: { schema: INTROSPECTION } },
          errors: [400, 401, 413, 415, 429, 503],
          security: 'client',
          example: { token: 'eyJhbGciOiJFUzI1NiJ9.e30.c2lnbmF0dXJl' },
        },
      },
    },
    routes: (site) => new Hono<{ Bindings: Connection }>().post('/', (c) => introspect(c, site, service)),
  }
}

/** Responds with the claims of a token that is active and that the caller may see, otherwise only with `active: false`. */
async function introspect(
  c: HonoContext<{ Bindings: Connection }>,
  site: Site,
  options: Introspection,
): Promise<Response> {
  const request = await readFormRequest(c, options.findCertificate)
  const context = contextOf(site, c)
  const caller = await callerOf(request, context, options)
  return attribute(caller.client_id, async () => {
    options.limitRate(caller.client_id, context.now)
    const active = await options.findActive(readTokenParameter(request.form), context)
    const answer = active !== undefined && maySee(caller, active.token) ? describe(active.token) : { active: false }
    const isSigned = c.req.header('Accept')?.toLowerCase().includes(`application/${SIGNED_TYPE}`)
    if (!isSigned) return new Response(JSON.stringify(answer), { headers: jsonHeaders })
    const headers = { ...jsonHeaders, 'Content-Type': `application/${SIGNED_TYPE}` }
    return new Response(await sign(answer, caller, context, options), { headers })
  })
}

/** Returns the client that authenticates, or the client of the bearer token that the caller presents. */
async function callerOf(request: FormRequest, context: Context, options: Introspection): Promise<Client> {
  if (/^bearer( |$)/i.test(request.headers.get('Authorization') ?? '')) return bearerOf(request, context, options)
  const { client } = await options.authentication.authenticate(request, context)
  // RFC 7662 §2.1: without credentials, token scanning would be open to anyone who knows a client_id.
  if (client.token_endpoint_auth_method === 'none') throw withClient(invalidClient('client_public'), client.client_id)
  return client
}

async function bearerOf({ headers, form }: FormRequest, context: Context, options: Introspection): Promise<Client> {
  const active = await options.findActive(readBearer(headers), context)
  if (active === undefined) throw invalidToken('token_wrong')
  const { token, client } = active
  const audiences = audiencesOf(token)
  const isForIssuer = audiences.length === 0 || audiences.includes(context.issuer)
  // The scope alone is not enough: a client with a wildcard scope can ask for a scope of any name.
  const mayAsk = client.introspection === true && splitScope(scopeOf(token)).includes(SCOPE)
  // A token that is bound to a key would need a proof of possession.
  if (!isForIssuer || !mayAsk || 'cnf' in token.claims) throw invalidToken('token_wrong')
  requireBearerAlone(form, client.client_id)
  return client
}

const OTHER_CREDENTIALS = ['client_secret', 'client_assertion', 'client_assertion_type']

/**
 * Refuses a bearer token next to client credentials, or next to the id of another client.
 *
 * @throws OAuthError `invalid_request`
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-2.3 RFC 6749 §2.3}
 */
function requireBearerAlone(form: Form, client_id: string): void {
  const named = form.get('client_id') ?? client_id
  if (named === client_id && OTHER_CREDENTIALS.every((name) => form.get(name) === null)) return
  throw invalidRequest('credentials_several', 'A request must not use more than one method of client authentication.')
}

/** A client may see its own tokens. A client with `introspection` may also see tokens for one of its resources. */
function maySee({ client_id, introspection, resources = [] }: Client, token: OwnToken): boolean {
  const isFor = audiencesOf(token).some((audience) => resources.some((resource) => resource === audience))
  return token.client_id === client_id || (introspection === true && isFor)
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc7662#section-2.2 RFC 7662 §2.2} */
function describe(token: OwnToken): Readonly<Record<string, unknown>> {
  const { scp: _list, cnf, ...claims } = token.claims
  const isDpop = typeof cnf === 'object' && cnf !== null && 'jkt' in cnf
  const token_type = isDpop ? 'DPoP' : 'bearer'
  return { active: true, ...claims, ...(cnf !== undefined && { cnf }), scope: scopeOf(token), token_type }
}

async function sign(
  token_introspection: object,
  caller: Client,
  { issuer, now }: Context,
  options: Introspection,
): Promise<string> {
  const claims = { iss: issuer, aud: caller.client_id, iat: now, token_introspection: { ...token_introspection } }
  return signJwt(claims, SIGNED_TYPE, signingKeyOf(await options.keyring.at(now)))
}
