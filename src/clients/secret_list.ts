/** Changes to the list of secrets of one client. Instants are epoch seconds. */

import * as v from 'valibot'
import { invalidClientMetadata, type OAuthError } from '../errors.ts'
import { readInput } from '../lib/read_input.ts'
import { generateSecret } from '../secrets/generated.ts'
import { hashKind, hashSecret } from '../secrets/hashes.ts'
import type { ClientSecret } from '../types.ts'
import { checkPlain } from './member_checks.ts'
import { MAX_SECRETS, type RegisteredClient } from './members.ts'

const Instant = v.pipe(
  v.number('must be epoch seconds'),
  v.integer('must be epoch seconds'),
  v.minValue(0, 'must not be negative'),
)

const Label = v.pipe(v.string('must be a string'), v.maxLength(100, 'must have at most 100 characters'), checkPlain)

const Given = v.object({
  id: v.pipe(
    v.string('must be a string'),
    v.regex(/^[\w.:-]{1,64}$/, 'must be 1 to 64 of: letters, digits and . : _ -'),
  ),
  label: v.optional(Label),
  created_at: v.optional(Instant),
  expires_at: v.optional(Instant),
  hash: v.optional(
    v.pipe(
      v.string('must be a string'),
      v.check((hash) => hashKind(hash) !== undefined, 'must be a hash of a supported kind'),
    ),
  ),
})

/** Schema of a submitted list of secrets. */
export const SecretList: v.GenericSchema<unknown, (Omit<ClientSecret, 'hash'> & { hash?: string | undefined })[]> =
  v.pipe(v.array(Given, 'must be a list'), v.maxLength(MAX_SECRETS, `must have at most ${MAX_SECRETS} items`))

/** A request for a new secret. */
export interface NewSecretRequest {
  readonly label?: string | undefined
  readonly expires_at?: number | undefined
  /** The time at which the other secrets expire, unless they expire sooner. */
  readonly keep_others_until?: number | undefined
}

export const NewSecret: v.GenericSchema<unknown, NewSecretRequest> = v.object({
  label: v.optional(Label),
  expires_at: v.optional(Instant),
  keep_others_until: v.optional(v.pipe(Instant, v.minValue(1, 'must be at least 1'))),
})

/**
 * Returns the secrets in a submitted list. A secret that the client already has keeps its hash if the list has none for it.
 *
 * @throws OAuthError `invalid_client_metadata` when the list is malformed, an id repeats, or a new secret has no hash
 */
export function readSecrets(given: unknown, held: readonly ClientSecret[], now: number): readonly ClientSecret[] {
  const refuse = (problem: string): OAuthError => invalidClientMetadata('metadata_malformed', problem)
  const secrets = readInput(SecretList, given, refuse, 'client_secrets').map((secret) => {
    const before = held.find(({ id }) => id === secret.id)
    const hash = secret.hash ?? before?.hash
    if (hash === undefined)
      throw invalidClientMetadata('metadata_inconsistent', 'client_secrets: a new secret must have a hash.')
    return { created_at: before?.created_at ?? now, ...secret, hash }
  })
  if (new Set(secrets.map(({ id }) => id)).size < secrets.length) {
    throw invalidClientMetadata('metadata_inconsistent', 'client_secrets: two secrets have the same id.')
  }
  return secrets
}

/** A new secret with its plain text, which is shown once and not stored. */
export interface MadeSecret {
  readonly secret: ClientSecret
  readonly client_secret: string
}

/** Returns a new secret that was made at `now` and does not expire unless `more` says so. */
export async function makeSecret(
  now: number,
  more: { label?: string | undefined; expires_at?: number | undefined } = {},
): Promise<MadeSecret> {
  const client_secret = generateSecret()
  const id = crypto.randomUUID()
  return {
    secret: { id, hash: await hashSecret(client_secret), created_at: now, expires_at: 0, ...more },
    client_secret,
  }
}

/**
 * Returns the list with another secret. The others expire at `keepOthersUntil`, if it is given. Expired secrets are dropped.
 *
 * @throws OAuthError `invalid_client_metadata` when the list is full
 */
export function addSecret(
  held: readonly ClientSecret[],
  { secret }: MadeSecret,
  now: number,
  keepOthersUntil: number | undefined,
): readonly ClientSecret[] {
  const live = held.filter(({ expires_at = 0 }) => expires_at === 0 || now < expires_at)
  if (live.length >= MAX_SECRETS) {
    throw invalidClientMetadata(
      'metadata_inconsistent',
      `client_secrets: there are already ${MAX_SECRETS} live secrets.`,
    )
  }
  const byClient = secret.set_by_client
  const others = keepOthersUntil === undefined ? live : live.map((other) => endBy(other, keepOthersUntil, byClient))
  return [...others, secret]
}

/**
 * Returns the latest expiry (epoch seconds) of secrets that a client adds itself, 0 for no limit. It is the latest expiry that an
 * operator set for its secrets; there is no limit if one of them does not expire. Expiries that the client set do not count. When
 * the client changes its secrets, the record stores the limit, until an operator sets a new one.
 */
export function secretLimitOf({
  client_secrets = [],
  secret_limit_at,
}: Pick<RegisteredClient, 'client_secrets' | 'secret_limit_at'>): number {
  const ends = client_secrets.filter(isSetByOperator).map(({ expires_at = 0 }) => expires_at)
  return secret_limit_at ?? (ends.includes(0) ? 0 : Math.max(0, ...ends))
}

/**
 * Returns the client without one of its secrets. The limit remains when the client deletes the secret that set it. When an operator
 * does, the other secrets of an operator set it, if there are any.
 */
export function removeSecret(held: RegisteredClient, id: string, caller: 'operator' | 'client'): RegisteredClient {
  const client_secrets = held.client_secrets?.filter((secret) => secret.id !== id) ?? []
  const isNewLimit = caller === 'operator' && client_secrets.some(isSetByOperator)
  return { ...held, client_secrets, secret_limit_at: isNewLimit ? undefined : secretLimitOf(held) }
}

/**
 * Returns the secret as one that the client makes itself: it expires at `limitAt` at the latest, epoch seconds, 0 for no limit.
 *
 * @throws OAuthError `invalid_client_metadata` when the limit has passed
 */
export function limitSecret(made: MadeSecret, limitAt: number, now: number): MadeSecret {
  if (limitAt !== 0 && limitAt <= now) {
    throw invalidClientMetadata(
      'metadata_not_yours',
      'client_secrets: they have expired, and only an operator can add another.',
    )
  }
  const secret = limitAt === 0 ? made.secret : endBy(made.secret, limitAt)
  return { ...made, secret: { ...secret, set_by_client: true } }
}

function isSetByOperator({ set_by_client = false }: ClientSecret): boolean {
  return !set_by_client
}

function endBy(secret: ClientSecret, instant: number, byClient = false): ClientSecret {
  const { expires_at = 0 } = secret
  if (expires_at !== 0 && expires_at <= instant) return secret
  return { ...secret, expires_at: instant, ...(byClient && { set_by_client: true }) }
}
