/** What a token will hold: the permit of the grant, limited by the request, the client and the resource servers. */

import type { Authenticated } from '../authentication/authenticate.ts'
import type { Confirmed } from '../features.ts'
import { type Keyring, signingKeyOf } from '../keys/keyring.ts'
import type { Permit } from '../permit.ts'
import { signingAlgOf } from '../policy/resource.ts'
import { grantScopes } from '../policy/scope.ts'
import type { Draft } from '../tokens/issue.ts'
import type { Context, FormRequest, ResourceServer } from '../types.ts'

interface DraftOptions {
  readonly keyring: Keyring
  /** Seconds. */
  readonly accessTokenLifetime: number
}

/**
 * Returns the content of a token and the key that signs it.
 *
 * @param resources the resource servers that it is for
 * @throws OAuthError `invalid_scope` when the request asks for more than is permitted, and
 * `temporarily_unavailable` when no key signs or the store fails
 */
export async function draftToken(
  request: FormRequest,
  permit: Permit,
  { client, proof }: Authenticated,
  { cnf }: Confirmed,
  context: Context,
  options: DraftOptions,
  resources: readonly ResourceServer[],
): Promise<Draft> {
  const records = [client, ...(proof === undefined ? [] : [proof.credential]), ...resources]
  const lifetimes = records.map(({ access_token_lifetime = options.accessTokenLifetime }) => access_token_lifetime)
  const latest = context.now + Math.min(options.accessTokenLifetime, ...lifetimes)
  const token = {
    issuer: context.issuer,
    subject: permit.subject,
    clientId: client.client_id,
    scopes: grantScopes(request.form.get('scope'), permit, resources),
    resources: resources.map(({ resource }) => resource),
    issuedAt: context.now,
    expiresAt: Math.min(latest, permit.expiresAt ?? latest),
    cnf,
    actor: permit.actor,
    mayAct: permit.mayAct,
    claims: permit.claims ?? client.claims ?? {},
  }
  return {
    token,
    key: signingKeyOf(await options.keyring.at(context.now), signingAlgOf(resources)),
    records,
  }
}
