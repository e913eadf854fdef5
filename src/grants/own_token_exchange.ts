/** The exchange of an access token of this server for another one: the rules, in the order in which they are checked. */

import { invalidRequest, invalidTarget } from '../errors.ts'
import type { Basis, Permit } from '../permit.ts'
import { splitScope } from '../policy/scope.ts'
import { scopeMatcher } from '../policy/scope_patterns.ts'
import { isFreeClaim } from '../tokens/access_token.ts'
import type { FindActive } from '../tokens/active_token.ts'
import { audiencesOf, type OwnToken, scopeOf } from '../tokens/own_token.ts'
import type { Client, Context, FormRequest } from '../types.ts'
import { type Actor, actorOf, isActor, isTooMuch, withActor } from './actors.ts'
import { isProved } from './bound.ts'
import { ACCESS_TOKEN, type Exchange } from './token_types.ts'

/** What allows an exchange of a token that was issued to the client itself. */
const OWN = 'own_token'

/**
 * Returns the permit of an exchange. The new token never has more scopes than the subject token, unless the client's `may_widen`
 * has them, and never lives longer.
 *
 * @throws OAuthError `invalid_request` for a token that is not active or that the client may not present, `invalid_target` when no
 * resource server is named for the token of another client
 * @see {@link https://www.rfc-editor.org/rfc/rfc8693#section-2.2.2 RFC 8693 §2.2.2}
 */
export async function permitExchange(
  { subjectToken, actorToken }: Exchange,
  { form }: FormRequest,
  client: Client,
  context: Context,
  findActive: FindActive,
): Promise<Permit> {
  const subject = (await findActive(subjectToken, context))?.token
  if (subject === undefined) {
    throw invalidRequest('subject_token_wrong', 'The subject_token is not an active access token of this server.')
  }
  const allowedBy = whyPresentable(subject, client, context)
  const actor = actorToken === null ? undefined : await findActor(actorToken, client, context, findActive)
  requireMayAct(subject, client, actor, context)
  const isOwn = allowedBy === OWN
  const isTargetless = form.getAll('resource').length + form.getAll('audience').length === 0
  if (isTargetless && !isOwn) {
    throw invalidTarget('resource_missing', 'The exchange of a token of another client must name a resource.')
  }
  const act = actOf(subject, client, actor, isOwn)
  if (act !== undefined && isTooMuch(act)) {
    throw invalidRequest('actors_too_many', 'The token has been passed on too often.')
  }
  return {
    ...limitsOf(subject, client, isOwn, context),
    subject: String(subject.claims['sub']),
    actor: act,
    mayAct: actorOf({ act: subject.claims['may_act'] }),
    expiresAt: Math.min(subject.exp, actor?.exp ?? subject.exp),
    claims: Object.fromEntries(Object.entries(subject.claims).filter(([name]) => isFreeClaim(name))),
    requireBinding: (proved) => requireKeys([...(isOwn ? [subject] : []), ...(actor ? [actor] : [])], proved),
    basis: basisOf(subject, actor, allowedBy),
    response: { issued_token_type: ACCESS_TOKEN },
  }
}

/** Returns the rule by which the client may present a token: it is its own, or for a resource server that the client is. */
function whyPresentable(token: OwnToken, { client_id, token_exchange }: Client, { issuer }: Context): string {
  if (token.client_id === client_id) return OWN
  const addressed = resourcesOf(token, issuer)
  const resource = token_exchange?.as?.find((each) => addressed.includes(each))
  if (resource !== undefined) return resource
  throw invalidRequest('exchange_not_audience', 'The subject_token is neither of this client nor for it.')
}

/** Returns the resource servers of a token. One without any is for this server alone. */
function resourcesOf(token: OwnToken, issuer: string): readonly string[] {
  return audiencesOf(token)
    .map(String)
    .filter((audience) => audience !== issuer)
}

async function findActor(
  actorToken: string,
  { client_id }: Client,
  context: Context,
  findActive: FindActive,
): Promise<OwnToken> {
  const actor = (await findActive(actorToken, context))?.token
  // Of an actor that acts for another party itself, one name could not say who it is.
  if (actor !== undefined && actor.client_id === client_id && actorOf(actor.claims) === undefined) return actor
  throw invalidRequest('actor_token_wrong', 'The actor_token is not an active access token of this client.')
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc8693#section-4.4 RFC 8693 §4.4} */
function requireMayAct(subject: OwnToken, { client_id }: Client, actor: OwnToken | undefined, context: Context): void {
  const { may_act, sub } = subject.claims
  const isItself = actor === undefined && sub === client_id && subject.client_id === client_id
  if (may_act === undefined || isItself) return
  const { sub: named, iss = context.issuer } = actorOf({ act: may_act }) ?? {}
  // It names a client; holding a token of that client as an actor token, by impersonation, does not make another one that client.
  const acting = [client_id, ...(actor ? [actor.claims['sub']] : [])]
  if (acting.every((name) => name === named) && iss === context.issuer) return
  throw invalidRequest('may_act_other', 'The subject_token names another party that may act for its subject.')
}

/** Returns the actors of the new token. A client that impersonates leaves out itself, not those from whom it has the token. */
function actOf(
  subject: OwnToken,
  { client_id, token_exchange }: Client,
  actor: OwnToken | undefined,
  isOwn: boolean,
): Actor | undefined {
  if (isOwn && actor === undefined) return actorOf(subject.claims)
  const holders = holdersOf(subject)
  if (actor !== undefined) return withActor(String(actor.claims['sub']), holders)
  return token_exchange?.impersonation === true ? holders : withActor(client_id, holders)
}

/** Returns the actors of a token, its client among them: it may hold a token of a subject without being named as an actor. */
function holdersOf({ client_id, claims }: OwnToken): Actor | undefined {
  const acting = actorOf(claims)
  const isNamed = claims['sub'] === client_id || (acting !== undefined && isActor(client_id, acting))
  return isNamed ? acting : withActor(client_id, acting)
}

/**
 * Returns what the client's record allows. A token that the client holds for another subject stays within its resource servers: an
 * identity assertion may have limited it to them.
 */
function limitsOf(
  subject: OwnToken,
  { client_id, scope = '', resources = [], token_exchange }: Client,
  isOwn: boolean,
  { issuer }: Context,
): Pick<Permit, 'scope' | 'scopeLimit' | 'defaultScope' | 'resources' | 'defaultResources'> {
  const held = splitScope(scopeOf(subject))
  const allowed = splitScope(scope)
  const addressed = resourcesOf(subject, issuer)
  const isLimited = isOwn && subject.claims['sub'] !== client_id && addressed.length > 0
  return {
    scope: allowed,
    scopeLimit: [...held, ...splitScope(token_exchange?.may_widen ?? '')],
    defaultScope: held.filter(scopeMatcher(allowed)),
    resources: isLimited ? resources.filter((resource) => addressed.includes(resource)) : resources,
    defaultResources: addressed,
  }
}

/** Requires that a request proves the keys that tokens of its client are bound to, and that the new token is bound to them. */
function requireKeys(tokens: readonly OwnToken[], proved: Readonly<Record<string, string>>): void {
  if (tokens.every(({ claims }) => isProved(claims['cnf'], proved))) return
  throw invalidRequest('exchange_not_bound', 'The request must prove the key that the token is bound to.')
}

function basisOf(subject: OwnToken, actor: OwnToken | undefined, allowed_by: string): Basis {
  return { subject_jti: subject.jti, ...(actor !== undefined && { actor_jti: actor.jti }), allowed_by }
}
