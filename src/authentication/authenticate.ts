/** Client authentication: finds the credentials of a request, looks up the client they name, and verifies them. */

import { attribute, attributed } from '../attribution.ts'
import { methodsOf } from '../clients/record.ts'
import { type FindClient, isClientId } from '../clients/registry.ts'
import { invalidClient } from '../errors.ts'
import type { ClientAuth, CredentialKind, Proof } from '../features.ts'
import { requireNames } from '../lib/names.ts'
import type { ClientReason, CustomReason } from '../reasons.ts'
import type { Client, Context, FormRequest } from '../types.ts'
import { type Attempt, readAttempts } from './attempts.ts'

/** A client that has authenticated. */
export interface Authenticated {
  readonly client: Client
  /** Where its credentials were found; `connection` also for a public client. */
  readonly credentials: CredentialKind
  /** The foreign token with which it did, if it did with one. */
  readonly proof?: Omit<Proof, 'claim'> | undefined
}

/** A client that has authenticated with credentials that are not used up yet. */
export interface Unclaimed {
  readonly authenticated: Authenticated
  /**
   * Uses up the credentials if they may be used once. To be called once, after everything else that can refuse the request.
   *
   * @throws OAuthError `invalid_client` when they were used before, `temporarily_unavailable` when the ledger fails
   */
  readonly claim: () => Promise<void>
}

/** The client authentication that endpoints share. */
export interface Authentication {
  readonly methods: readonly ClientAuth[]
  readonly findClient: FindClient
  /**
   * Returns the authenticated client, and uses up credentials that may be used once. A public client is only identified: it has
   * nothing that proves its identity.
   *
   * @param ofGrant methods that read the `subject_token`, and count if the request presents no other credentials
   * @throws OAuthError `invalid_request` for malformed credentials or more than one method, `invalid_client` when authentication
   * fails, `temporarily_unavailable` when a store, the keys or the CPU budget are not available
   * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-2.3 RFC 6749 §2.3}
   */
  authenticate(request: FormRequest, context: Context, ofGrant?: readonly ClientAuth[]): Promise<Authenticated>
  /** Does the same for an endpoint that can still refuse the request, and leaves it to the endpoint to use up the credentials. */
  authenticateUnclaimed(request: FormRequest, context: Context, ofGrant?: readonly ClientAuth[]): Promise<Unclaimed>
}

/**
 * Returns the authentication by any of these methods.
 *
 * @throws TypeError when there is no method, or when two have the same name
 */
export function authentication(methods: readonly ClientAuth[], findClient: FindClient): Authentication {
  requireNames(
    'authentication: methods',
    methods.map(({ method }) => method),
  )
  const authenticateUnclaimed: Authentication['authenticateUnclaimed'] = (request, context, ofGrant = []) =>
    authenticate(() => readAttempts(methods, ofGrant, request), findClient, context)
  return {
    methods,
    findClient,
    authenticateUnclaimed,
    async authenticate(request, context, ofGrant) {
      const { authenticated, claim } = await authenticateUnclaimed(request, context, ofGrant)
      await attribute(authenticated.client.client_id, claim, authenticated.proof)
      return authenticated
    },
  }
}

/** Returns the metadata members of an endpoint with client authentication, such as `token`, RFC 8414 §2. */
export function authMetadata(endpoint: string, { methods }: Authentication): Readonly<Record<string, unknown>> {
  const own = Object.assign({}, ...methods.map(({ metadata }) => metadata)) as Readonly<Record<string, unknown>>
  const renamed = Object.entries(own).map(([member, value]) => [member.replace(/^token_/, `${endpoint}_`), value])
  return {
    [`${endpoint}_endpoint_auth_methods_supported`]: methods.map(({ method }) => method),
    ...Object.fromEntries(renamed),
  }
}

async function authenticate(
  read: () => readonly [Attempt, ...Attempt[]],
  findClient: FindClient,
  context: Context,
): Promise<Unclaimed> {
  const attempts = read()
  const { client_id } = attempts[0].presented
  if (client_id === '') throw invalidClient('credentials_missing')
  // Not attributed: what is no client_id may be a secret or a token in the wrong place.
  if (!isClientId(client_id)) throw invalidClient('client_id_malformed')
  try {
    const client = await findClient(client_id)
    if (client === undefined) throw invalidClient('client_unknown')
    const found = await verify(client, attempts, context)
    if (typeof found !== 'string') return found
    // The cached record may be outdated: a secret or key that was registered since then must work at once.
    const renewed = await findClient(client_id, { refresh: true })
    if (renewed === undefined || isSameRecord(renewed, client)) throw invalidClient(found)
    const foundAgain = await verify(renewed, attempts, context)
    if (typeof foundAgain === 'string') throw invalidClient(foundAgain)
    return foundAgain
  } catch (error) {
    throw attributed(error, client_id)
  }
}

function isSameRecord(a: Client, b: Client): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

async function verify(
  client: Client,
  attempts: readonly Attempt[],
  context: Context,
): Promise<ClientReason | CustomReason | Unclaimed> {
  if (client.disabled) return 'client_disabled'
  const attempt = attempts.find(({ method }) => methodsOf(client).includes(method))
  if (attempt === undefined) return 'auth_method_mismatch'
  const found = await attempt.presented.verify(client, context)
  if (typeof found === 'string') return found
  const claim = found?.claim ?? (async () => undefined)
  return { authenticated: { client, credentials: attempt.reads, proof: found }, claim }
}
