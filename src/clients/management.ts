/** Operations on the record of one client. Each returns a new record. */

import { invalidClientMetadata } from '../errors.ts'
import { isSameJson } from '../lib/json.ts'
import { parseRecord } from '../records/records.ts'
import type { ClientSecret } from '../types.ts'
import { isFederated, withCreation } from './federated_credentials.ts'
import { CREDENTIAL_MEMBERS, type Metadata, OPERATOR_MEMBERS, type RegisteredClient } from './members.ts'
import { methodsOf } from './record.ts'
import { CLIENTS } from './registry.ts'
import { limitSecret, type MadeSecret, makeSecret, readSecrets, secretLimitOf } from './secret_list.ts'

/** The caller of the registration endpoint: an operator, or the client itself. */
export type Caller = 'operator' | 'client'

/**
 * Returns the client in a record, or undefined when there is no record.
 *
 * @throws OAuthError `temporarily_unavailable` when the record is malformed
 */
export function readClient(text: string | undefined, client_id: string): RegisteredClient | undefined {
  return text === undefined ? undefined : parseRecord(text, client_id, CLIENTS)
}

/** How a client authenticates: its own members, unless it is federated. */
const AUTHENTICATION_MEMBERS = [...CREDENTIAL_MEMBERS, 'token_endpoint_auth_method'] as const

/**
 * Refuses a change of members that only an operator sets. A client may submit them with the values that it was shown. Once an
 * operator has limited the client's secrets, the client cannot change or start to use keys and certificate names either: they have no
 * end. Neither can a federated client, whose credentials are the operator's.
 *
 * @throws OAuthError `invalid_client_metadata` with the name of the member
 */
export function refuseOperatorsMembers(given: Readonly<Record<string, unknown>>, held: RegisteredClient): void {
  const shown = { ...held, client_secrets: held.client_secrets?.map(withoutHash) }
  for (const member of membersNotIts(given, held)) {
    if (given[member] !== undefined && !isSameJson(given[member], shown[member])) {
      throw invalidClientMetadata('metadata_not_yours', `${member}: only an operator can change it.`)
    }
  }
}

function membersNotIts(
  given: Readonly<Record<string, unknown>>,
  held: RegisteredClient,
): readonly (keyof RegisteredClient)[] {
  if (isFederated(held)) return [...OPERATOR_MEMBERS, ...AUTHENTICATION_MEMBERS]
  if (secretLimitOf(held) === 0) return OPERATOR_MEMBERS
  // The client may have stored a key before its secrets were limited.
  const method = given['token_endpoint_auth_method']
  const isWithoutEnd = typeof method === 'string' && !method.startsWith('client_secret_')
  return [...OPERATOR_MEMBERS, ...(isWithoutEnd ? AUTHENTICATION_MEMBERS : CREDENTIAL_MEMBERS)]
}

/**
 * Refuses a secret that a federated client makes itself: it would outlast the credentials of its operator.
 *
 * @throws OAuthError `invalid_client_metadata`
 */
export function requireOwnSecrets(held: RegisteredClient): void {
  if (!isFederated(held)) return
  const problem = 'client_secrets: only an operator can add one to a client with federated credentials.'
  throw invalidClientMetadata('metadata_not_yours', problem)
}

/** Returns the current metadata that only an operator sets. Members that the client does not have are undefined. */
export function operatorMembersOf(held: RegisteredClient): Partial<Metadata> {
  const members = [...OPERATOR_MEMBERS, ...(isFederated(held) ? AUTHENTICATION_MEMBERS : [])]
  const metadata = members.filter((member) => member !== 'client_secrets')
  return Object.fromEntries(metadata.map((member) => [member, held[member]]))
}

/** Returns a secret as it is shown, without its hash and without who set it. */
export function withoutHash({ hash: _hash, set_by_client: _by, ...secret }: ClientSecret): Omit<ClientSecret, 'hash'> {
  return secret
}

/** The result of a replacement. */
export interface Replaced {
  readonly client: RegisteredClient
  /** The secret that was made because the client needed one and had none. */
  readonly made?: MadeSecret | undefined
}

/**
 * Replaces the metadata of a client. Its secrets are kept unless `givenSecrets` is a list of them. A client that authenticates
 * with a secret and has none receives a new one.
 *
 * @param held the current client, undefined for a new one
 * @param now epoch seconds
 * @throws OAuthError `invalid_client_metadata` when the secrets are malformed or the client may not have a new one
 */
export async function replaceClient(
  client_id: string,
  metadata: Metadata,
  givenSecrets: unknown,
  held: RegisteredClient | undefined,
  caller: Caller,
  now: number,
): Promise<Replaced> {
  const before = held?.client_secrets ?? []
  const secrets = givenSecrets === undefined ? before : readSecrets(givenSecrets, before, now)
  const usesSecret = methodsOf(metadata).some((method) => method.startsWith('client_secret_'))
  const needsOne = usesSecret && givenSecrets === undefined && secrets.length === 0
  const isOwn = caller === 'client' && held !== undefined
  if (needsOne && isOwn) requireOwnSecrets(held)
  const added = needsOne ? await makeSecret(now) : undefined
  const made = added && isOwn ? limitSecret(added, secretLimitOf(held), now) : added
  // The expiry of secrets that an operator submits or receives is the limit. Removing the secrets does not lift it.
  const isNewLimit = secrets !== before ? secrets.length > 0 : made !== undefined && caller === 'operator'
  const limitBefore =
    secrets.length === 0 && before.length > 0
      ? secretLimitOf({ client_secrets: before, ...held })
      : held?.secret_limit_at
  const client = {
    ...metadata,
    federated_credentials: withCreation(metadata.federated_credentials, held?.federated_credentials, now),
    client_id,
    client_id_issued_at: held?.client_id_issued_at ?? now,
    registration_access_token_hash: held?.registration_access_token_hash,
    client_secrets: made === undefined ? secrets : [made.secret],
    secret_limit_at: isNewLimit ? undefined : limitBefore,
  }
  return { client, made }
}
