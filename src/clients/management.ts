/** What is done to the record of one client: made, replaced, its secrets changed. Each gives the next record. */

import { invalidClientMetadata } from '../errors.ts'
import { isSameJson } from '../lib/json.ts'
import { parseRecord } from '../records/records.ts'
import type { ClientSecret } from '../types.ts'
import { CREDENTIAL_MEMBERS, type Metadata, OPERATOR_MEMBERS, type RegisteredClient } from './members.ts'
import { methodsOf } from './record.ts'
import { CLIENTS } from './registry.ts'
import { limitSecret, type MadeSecret, makeSecret, readSecrets, secretLimitOf } from './secret_list.ts'

/** Who asks. */
export type Caller = 'operator' | 'client'

/** Gives undefined for no text. Throws OAuthError when the record cannot be read. */
export function readClient(text: string | undefined, client_id: string): RegisteredClient | undefined {
  return text === undefined ? undefined : parseRecord(text, client_id, CLIENTS)
}

/**
 * Refuses members of an operator that a client hands in with another value than it was shown. Once an operator has given an end to
 * its secrets, its keys and certificate names are among them: they have no end.
 *
 * @throws OAuthError `invalid_client_metadata`, which names the member
 */
export function refuseOperatorsMembers(given: Readonly<Record<string, unknown>>, held: RegisteredClient): void {
  const shown = { ...held, client_secrets: held.client_secrets?.map(withoutHash) }
  const protectedMembers = secretLimitOf(held) > 0 ? [...OPERATOR_MEMBERS, ...CREDENTIAL_MEMBERS] : OPERATOR_MEMBERS
  for (const member of protectedMembers) {
    if (given[member] !== undefined && !isSameJson(given[member], shown[member])) {
      throw invalidClientMetadata('metadata_not_yours', `${member}: only an operator changes this.`)
    }
  }
}

/** Returns the metadata that only an operator sets, as it is; members that the client does not have are undefined. */
export function operatorMembersOf(held: RegisteredClient): Partial<Metadata> {
  const metadata = OPERATOR_MEMBERS.filter((member) => member !== 'client_secrets')
  return Object.fromEntries(metadata.map((member) => [member, held[member]]))
}

/** A secret as it is shown: without its hash. */
export function withoutHash({ hash: _hash, ...secret }: ClientSecret): Omit<ClientSecret, 'hash'> {
  return secret
}

export interface Replaced {
  readonly client: RegisteredClient
  /** Where the client needed a secret and had none. */
  readonly made?: MadeSecret | undefined
}

/**
 * Puts metadata in the place of what a client had. Its secrets stay unless a list of them is given; a client that
 * authenticates by secret and has none gets one.
 *
 * @throws OAuthError `invalid_client_metadata`
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
  const limitAt = caller === 'client' && held !== undefined ? secretLimitOf(held) : 0
  const made = needsOne ? limitSecret(await makeSecret(now), limitAt, now) : undefined
  // The ends of secrets that an operator hands in or is given are the limit; taking the secrets away does not lift it.
  const isSetAnew = secrets !== before ? secrets.length > 0 : made !== undefined && caller === 'operator'
  const limitBefore =
    secrets.length === 0 && before.length > 0
      ? secretLimitOf({ client_secrets: before, ...held })
      : held?.secret_limit_at
  const client = {
    ...metadata,
    client_id,
    client_id_issued_at: held?.client_id_issued_at ?? now,
    registration_access_token_hash: held?.registration_access_token_hash,
    client_secrets: made === undefined ? secrets : [made.secret],
    secret_limit_at: isSetAnew ? undefined : limitBefore,
  }
  return { client, made }
}
