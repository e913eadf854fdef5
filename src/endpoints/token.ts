/** `POST /token`: the phases of a token request, in order, each once. */

import type { Context as HonoContext } from 'hono'
import { MAX_JWT_CHARACTERS } from '../assertions/assertion.ts'
import type { Connection, FindCertificate } from '../certificates/client_cert.ts'
import { authenticate } from '../clients/authenticate.ts'
import type { FindClient } from '../clients/registry.ts'
import {
  attribute,
  invalidRequest,
  invalidScope,
  invalidTarget,
  type OAuthError,
  unauthorizedClient,
  unsupportedGrantType,
} from '../errors.ts'
import type { Emit } from '../events/events.ts'
import { type Keyring, signingKeyAt } from '../keys/keyring.ts'
import type { SigningKey } from '../keys/signing_key.ts'
import { grantResources, signingAlgOf } from '../policy/resource.ts'
import { grantScopes } from '../policy/scope.ts'
import type { Resources } from '../resources/registry.ts'
import { type AccessToken, type AccessTokenProfile, signAccessToken } from '../tokens/access_token.ts'
import type { Client, ClientAuth, Confirmation, Confirmed, Context, FormRequest, Grant, Permit } from '../types.ts'
import { readFormRequest } from './form_request.ts'
import { jsonHeaders } from './respond.ts'

/** What the endpoint works with. */
export interface TokenParts {
  readonly clientAuth: readonly ClientAuth[]
  readonly grants: ReadonlyMap<string, Grant>
  readonly confirmations: readonly Confirmation[]
  readonly findClient: FindClient
  readonly findCertificate: FindCertificate
  readonly resources: Resources
  readonly keyring: Keyring
  readonly accessTokenProfile: AccessTokenProfile
  /** Seconds. */
  readonly accessTokenLifetime: number
  readonly emit: Emit
}

/**
 * Answers a token request.
 *
 * @throws OAuthError for whatever is refused
 * @see RFC 6749 §3.2
 */
export async function token(
  c: HonoContext<{ Bindings: Connection }>,
  contextOf: () => Context,
  parts: TokenParts,
): Promise<Response> {
  const request = await readFormRequest(c, parts.findCertificate)
  // Not before: a body may take its time, and what it holds must be good when it is here.
  const context = contextOf()
  const grant = chooseGrant(request, parts.grants)
  const client = await authenticate(parts.clientAuth, parts.findClient, request, context)
  return attribute(client.client_id, async () => {
    if (!client.grant_types?.includes(grant.grantType)) {
      throw unauthorizedClient('grant_type_not_allowed', 'The client may not use this grant_type.')
    }
    const permit = await grant.permit(request, client, context)
    const { confirmed, claims } = await confirm(parts.confirmations, request, client, context)
    const { accessToken, key } = await decide(request, permit, client, confirmed, context, parts)
    // Last, so that a request that is refused leaves no mark.
    for (const claim of claims) await claim()
    const jwt = await signAccessToken(accessToken, parts.accessTokenProfile, key)
    if (jwt.length > MAX_JWT_CHARACTERS) throw tooLarge(accessToken)
    parts.emit(issued(accessToken, grant))
    return respond(jwt, accessToken, confirmed)
  })
}

/** Before authentication, like fosite: a grant that nobody offers is refused without the cost of a secret. */
function chooseGrant({ form }: FormRequest, grants: TokenParts['grants']): Grant {
  const grantType = form.get('grant_type')
  if (grantType === null) throw invalidRequest('grant_type_missing', 'The parameter grant_type is missing.')
  const grant = grants.get(grantType)
  if (grant === undefined) throw unsupportedGrantType('This server does not offer this grant_type.')
  return grant
}

/** Collects what binds the token, and what has to be claimed for it. */
async function confirm(
  confirmations: readonly Confirmation[],
  request: FormRequest,
  client: Client,
  context: Context,
): Promise<{ confirmed: Confirmed; claims: readonly NonNullable<Confirmed['claim']>[] }> {
  let all: Confirmed = { cnf: {} }
  const claims: NonNullable<Confirmed['claim']>[] = []
  for (const { confirm } of confirmations) {
    const { claim, ...confirmed } = (await confirm(request, client, context)) ?? { cnf: {} }
    all = { ...all, ...confirmed, cnf: { ...all.cnf, ...confirmed.cnf } }
    if (claim !== undefined) claims.push(claim)
  }
  return { confirmed: all, claims }
}

async function decide(
  request: FormRequest,
  permit: Permit,
  client: Client,
  { cnf }: Confirmed,
  context: Context,
  parts: TokenParts,
): Promise<{ accessToken: AccessToken; key: SigningKey }> {
  const resources = await grantResources(request.form, permit, parts.resources)
  const lifetimes = [client, ...resources].map(
    ({ access_token_lifetime = Number.POSITIVE_INFINITY }) => access_token_lifetime,
  )
  const accessToken = {
    issuer: context.issuer,
    subject: permit.subject,
    clientId: client.client_id,
    scopes: grantScopes(request.form.get('scope'), permit, resources),
    resources: resources.map(({ resource }) => resource),
    id: crypto.randomUUID(),
    issuedAt: context.now,
    expiresAt: context.now + Math.min(parts.accessTokenLifetime, ...lifetimes),
    cnf,
    claims: client.claims ?? {},
  }
  return { accessToken, key: signingKeyAt(parts.keyring, context.now, signingAlgOf(resources)) }
}

/** A token that this server cannot read back could not be revoked. */
function tooLarge({ scopes, resources }: AccessToken): OAuthError {
  const isOfScopes = scopes.join(' ').length > resources.join(' ').length
  return isOfScopes
    ? invalidScope('token_too_large', 'The token would be too large; ask for fewer scopes.')
    : invalidTarget('token_too_large', 'The token would be too large; ask for fewer resources.')
}

function issued(token: AccessToken, grant: Grant): Parameters<Emit>[0] {
  return {
    event: 'token_issued',
    client_id: token.clientId,
    grant_type: grant.grantType,
    scope: token.scopes.join(' '),
    aud: token.resources,
    jti: token.id,
    exp: token.expiresAt,
  }
}

/** @see RFC 6749 §5.1 */
function respond(jwt: string, { issuedAt, expiresAt, scopes }: AccessToken, confirmed: Confirmed): Response {
  const body = {
    access_token: jwt,
    expires_in: expiresAt - issuedAt,
    scope: scopes.join(' '),
    token_type: confirmed.tokenType ?? 'bearer',
  }
  return new Response(JSON.stringify(body), { headers: { ...jsonHeaders, ...confirmed.headers } })
}
