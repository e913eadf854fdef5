/** The grant of an assertion that a trusted issuer signed: any JWT bearer assertion, or an identity assertion of an enterprise. */

import { type FindClient, isClientId } from '../clients/registry.ts'
import { invalidRequest, invalidTarget } from '../errors.ts'
import type { Grant } from '../features.ts'
import { subjectOf } from '../issuers/subject.ts'
import { invalidGrant, type VerifiedGrant, type VerifyGrant } from '../issuers/verify_grant.ts'
import type { Permit } from '../permit.ts'
import { splitScope } from '../policy/scope.ts'
import { scopeMatcher } from '../policy/scope_patterns.ts'
import type { Client, Context } from '../types.ts'
import { type Actor, foreignActor, isTooMuch } from './actors.ts'
import { isProved } from './bound.ts'
import { permitForItself, refusePublic } from './itself.ts'

/** The profile of identity assertions, which the metadata names; it does not say which issuers are trusted. */
const ID_JAG_PROFILE = 'urn:ietf:params:oauth:grant-profile:id-jag'

export interface JwtBearerOptions {
  readonly verify: VerifyGrant
  /** Finds out whether a subject has the name of a client. */
  readonly findClient: FindClient
}

/**
 * Returns the grant. The subject of the token is that of the assertion. An identity assertion also limits scopes and resource servers,
 * and may be presented again until it expires, because it takes the place of a refresh token.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7523#section-2.1 RFC 7523 §2.1}
 * @see {@link https://datatracker.ietf.org/doc/html/draft-ietf-oauth-identity-assertion-authz-grant-03 draft-ietf-oauth-identity-assertion-authz-grant-03}
 */
export function jwtBearer({ verify, findClient }: JwtBearerOptions): Grant {
  return {
    grantType: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    metadata: { authorization_grant_profiles_supported: [ID_JAG_PROFILE] },
    parameters: { assertion: { description: 'JWT bearer: an assertion of a trusted issuer, RFC 7523 §2.1' } },
    async permit({ form }, client, context) {
      refusePublic(client)
      const jws = form.get('assertion')
      if (jws === null) throw invalidRequest('grant_assertion_missing', 'The parameter assertion is missing.')
      const granted = await verify(jws, client, context)
      const subject = await findSubject(granted, findClient)
      const { issuer, claims, use, claim } = granted
      const { cnf, jti } = claims
      const actor = actorIn(granted, context)
      return {
        ...limitsOf(granted, client),
        subject,
        actor,
        requireBinding: (proved) => {
          if (!isProved(cnf, proved)) throw invalidGrant('assertion_not_bound')
        },
        ...(claim && { claim }),
        ...(issuer.access_token_lifetime !== undefined && { expiresAt: context.now + issuer.access_token_lifetime }),
        basis: { subject_iss: issuer.issuer, ...(typeof jti === 'string' && { subject_jti: jti }), allowed_by: use },
      }
    },
  }
}

/** A subject must not have the name of a client: its token would be taken for one of that client, RFC 9068 §5. */
async function findSubject({ claims, issuer }: VerifiedGrant, findClient: FindClient): Promise<string> {
  const subject = subjectOf(claims, issuer)
  const isTaken = subject !== undefined && isClientId(subject) && (await findClient(subject)) !== undefined
  if (subject === undefined || isTaken) throw invalidGrant('assertion_sub_wrong')
  return subject
}

function actorIn({ claims: { act }, issuer }: VerifiedGrant, context: Context): Actor | undefined {
  if (act === undefined) return undefined
  const actor = foreignActor(act, issuer.issuer, context.issuer)
  if (actor === undefined || isTooMuch(actor)) throw invalidGrant('assertion_act_wrong')
  return actor
}

/** Returns what the client's record allows; of that, for an identity assertion, only what it has. */
function limitsOf({ use, claims }: VerifiedGrant, client: Client): Omit<Permit, 'subject'> {
  const { scope, defaultScope, resources } = permitForItself(client)
  if (use === 'jwt_bearer') return { scope, defaultScope, resources }
  const held = scopesIn(claims['scope'])
  const named = resourcesIn(claims['resource'])
  const allowed = named && resources.filter((resource) => named.includes(resource))
  if (allowed?.length === 0) {
    throw invalidTarget('resource_not_allowed', 'The client may not request tokens for a resource of the assertion.')
  }
  return {
    scope,
    defaultScope: held?.filter(scopeMatcher(scope)) ?? defaultScope,
    ...(held && { scopeLimit: held }),
    resources: allowed ?? resources,
    ...(allowed && { defaultResources: allowed }),
  }
}

/** A wildcard in an assertion would be a pattern, so it is not a scope. */
function scopesIn(scope: unknown): readonly string[] | undefined {
  if (scope === undefined) return undefined
  if (typeof scope !== 'string') throw invalidGrant('assertion_malformed')
  return splitScope(scope).filter((each) => !each.includes('*'))
}

function resourcesIn(resource: unknown): readonly unknown[] | undefined {
  if (resource === undefined) return undefined
  const resources: readonly unknown[] = [resource].flat()
  if (resources.every((each) => typeof each === 'string')) return resources
  throw invalidGrant('assertion_malformed')
}
