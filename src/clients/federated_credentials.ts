/** Changes to the list of federated credentials of one client. Instants are epoch seconds. */

import { invalidClientMetadata } from '../errors.ts'
import { problemOfRules, whyNeverHeld } from '../issuers/rule_checks.ts'
import { isSameJson } from '../lib/json.ts'
import type { Client, FederatedCredential, TrustedIssuer } from '../types.ts'
import { MAX_CREDENTIALS, type NewCredentialRequest } from './credential_schema.ts'

/** Returns the latest record of a trusted issuer, undefined when there is none. */
export type FindIssuer = (issuer: string) => Promise<TrustedIssuer | undefined>

/** Methods that authenticate a client by a token of a trusted issuer. */
const FEDERATED_METHODS: readonly (string | undefined)[] = ['federated_jwt', 'spiffe_jwt']

/** Returns whether a client is one that an operator lets in by federated credentials, even if it has none at the moment. */
export function isFederated(client: Pick<Client, 'federated_credentials' | 'token_endpoint_auth_method'>): boolean {
  return client.federated_credentials !== undefined || FEDERATED_METHODS.includes(client.token_endpoint_auth_method)
}

/** Returns a credential with an id of its own that was created at `now`. */
export function makeCredential({ issuer, claims, ...more }: NewCredentialRequest, now: number): FederatedCredential {
  return { id: crypto.randomUUID(), issuer, claims, ...more, created_at: now }
}

/**
 * Returns the list with another credential. Expired ones are dropped.
 *
 * @throws OAuthError `invalid_client_metadata` when the list is full
 */
export function addCredential(
  held: readonly FederatedCredential[],
  added: FederatedCredential,
  now: number,
): readonly FederatedCredential[] {
  const live = held.filter(({ expires_at = 0 }) => expires_at === 0 || now < expires_at)
  if (live.length < MAX_CREDENTIALS) return [...live, added]
  const problem = `federated_credentials: there are already ${MAX_CREDENTIALS} live credentials.`
  throw invalidClientMetadata('metadata_inconsistent', problem)
}

/** Returns submitted credentials with the instants at which they were created. */
export function withCreation(
  given: readonly FederatedCredential[] | undefined,
  held: readonly FederatedCredential[] | undefined,
  now: number,
): readonly FederatedCredential[] | undefined {
  const createdAt = (id: string): number | undefined => held?.find((each) => each.id === id)?.created_at
  return given?.map((credential) => ({ ...credential, created_at: createdAt(credential.id) ?? now }))
}

/**
 * Refuses a credential whose rules do not pin what its issuer requires, or can hold for none of its tokens.
 *
 * @param place of the credential in the body, with a dot behind; empty if it is the body
 * @throws OAuthError `invalid_client_metadata` with the name of the member, and what `findIssuer` throws
 */
export async function requirePinned(
  { issuer, claims }: Pick<FederatedCredential, 'issuer' | 'claims'>,
  place: string,
  findIssuer: FindIssuer,
): Promise<void> {
  const record = await findIssuer(issuer)
  const problem = record && (problemOfRules(claims, record) ?? whyNeverHeld(claims, record))
  if (record !== undefined && problem === undefined) return
  const text = record === undefined ? 'issuer: is not a trusted issuer; register it first' : `claims: ${problem}`
  throw invalidClientMetadata('metadata_inconsistent', `${place}${text}.`)
}

/**
 * Refuses a credential that has expired, unless the client already has it with this expiry.
 *
 * @throws OAuthError `invalid_client_metadata` with the name of the member
 */
export function requireLive(
  { id, expires_at = 0 }: Pick<FederatedCredential, 'expires_at'> & { readonly id?: string },
  place: string,
  held: readonly FederatedCredential[] | undefined,
  now: number,
): void {
  if (expires_at === 0 || now < expires_at) return
  if (held?.some((each) => each.id === id && each.expires_at === expires_at)) return
  throw invalidClientMetadata('metadata_inconsistent', `${place}expires_at: must not be in the past.`)
}

/**
 * Refuses a list that has a credential which {@link requirePinned} or {@link requireLive} refuses. Those that the client already
 * has are left alone.
 *
 * @throws OAuthError `invalid_client_metadata` with the name of the member, and what `findIssuer` throws
 */
export async function requireAllUsable(
  given: readonly FederatedCredential[] | undefined,
  held: readonly FederatedCredential[] | undefined,
  findIssuer: FindIssuer,
  now: number,
): Promise<void> {
  for (const [index, credential] of given?.entries() ?? []) {
    const place = `federated_credentials.${index}.`
    requireLive(credential, place, held, now)
    const { issuer, claims } = credential
    const isHeld = held?.some((each) => each.issuer === issuer && isSameJson(each.claims, claims))
    if (!isHeld) await requirePinned(credential, place, findIssuer)
  }
}
