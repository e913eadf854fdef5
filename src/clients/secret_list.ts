/** The secrets of one client as they are changed: given as hashes, made, taken away. Instants are epoch seconds. */

import * as v from 'valibot'
import { invalidClientMetadata, type OAuthError } from '../errors.ts'
import { isPlainText } from '../lib/plain_text.ts'
import { readInput } from '../lib/read_input.ts'
import { generateSecret } from '../secrets/generated.ts'
import { hashKind, hashSecret } from '../secrets/hashes.ts'
import type { ClientSecret } from '../types.ts'
import { MAX_SECRETS, type RegisteredClient } from './members.ts'

const Instant = v.pipe(
  v.number('must be epoch seconds'),
  v.integer('must be epoch seconds'),
  v.minValue(0, 'must not be negative'),
)

const Label = v.pipe(v.string(), v.maxLength(100, 'is too long'), v.check(isPlainText, 'holds what cannot be seen'))

const Given = v.object({
  id: v.pipe(v.string('must be a text'), v.regex(/^[\w.:-]{1,64}$/, 'must be 1 to 64 letters, digits and . : _ -')),
  label: v.optional(Label),
  created_at: v.optional(Instant),
  expires_at: v.optional(Instant),
  hash: v.optional(
    v.pipe(
      v.string('must be a text'),
      v.check((hash) => hashKind(hash) !== undefined, 'is of no kind that this server knows'),
    ),
  ),
})

/** Secrets as they are handed in. */
export const SecretList: v.GenericSchema<unknown, (Omit<ClientSecret, 'hash'> & { hash?: string | undefined })[]> =
  v.pipe(v.array(Given, 'must be a list'), v.maxLength(MAX_SECRETS, `must hold at most ${MAX_SECRETS}`))

/** What is asked of a new secret. */
export interface NewSecretRequest {
  readonly label?: string | undefined
  readonly expires_at?: number | undefined
  /** The others expire then, unless they do so sooner. */
  readonly keep_others_until?: number | undefined
}

export const NewSecret: v.GenericSchema<unknown, NewSecretRequest> = v.object({
  label: v.optional(Label),
  expires_at: v.optional(Instant),
  keep_others_until: v.optional(v.pipe(Instant, v.minValue(1, 'must be an instant'))),
})

/**
 * Reads a list of secrets; one that is there already keeps its hash when none is given.
 *
 * @throws OAuthError `invalid_client_metadata`
 */
export function readSecrets(given: unknown, held: readonly ClientSecret[], now: number): readonly ClientSecret[] {
  const refuse = (problem: string): OAuthError => invalidClientMetadata('metadata_malformed', problem)
  const secrets = readInput(SecretList, given, refuse, 'client_secrets').map((secret) => {
    const before = held.find(({ id }) => id === secret.id)
    const hash = secret.hash ?? before?.hash
    if (hash === undefined)
      throw invalidClientMetadata('metadata_inconsistent', 'client_secrets: a new one needs a hash.')
    return { created_at: before?.created_at ?? now, ...secret, hash }
  })
  if (new Set(secrets.map(({ id }) => id)).size < secrets.length) {
    throw invalidClientMetadata('metadata_inconsistent', 'client_secrets: two have the same id.')
  }
  return secrets
}

/** A secret just made; its text is told once and not stored. */
export interface MadeSecret {
  readonly secret: ClientSecret
  readonly client_secret: string
}

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

/** Adds one; the others end at `keepOthersUntil`, if that is given. What has expired makes room. */
export function addSecret(
  held: readonly ClientSecret[],
  { secret }: MadeSecret,
  now: number,
  keepOthersUntil: number | undefined,
): readonly ClientSecret[] {
  const live = held.filter(({ expires_at = 0 }) => expires_at === 0 || now < expires_at)
  if (live.length >= MAX_SECRETS) {
    throw invalidClientMetadata('metadata_inconsistent', `client_secrets: there are ${MAX_SECRETS} live ones already.`)
  }
  const others = keepOthersUntil === undefined ? live : live.map((other) => endBy(other, keepOthersUntil))
  return [...others, secret]
}

/**
 * Returns the latest end (epoch seconds) of the secrets that a client makes for itself, 0 for any. It is the latest end that an
 * operator gave to its secrets, unless one of them has no end. Until the client first changes its secrets itself, the ends in the
 * record are the operator's; from then on the record keeps the limit.
 */
export function secretLimitOf({
  client_secrets = [],
  secret_limit_at,
}: Pick<RegisteredClient, 'client_secrets' | 'secret_limit_at'>): number {
  const ends = client_secrets.map(({ expires_at = 0 }) => expires_at)
  return secret_limit_at ?? (ends.includes(0) ? 0 : Math.max(0, ...ends))
}

/**
 * Shortens a secret so that it ends by `limitAt`, epoch seconds, 0 for no limit.
 *
 * @throws OAuthError `invalid_client_metadata` when the limit has passed
 */
export function limitSecret(made: MadeSecret, limitAt: number, now: number): MadeSecret {
  if (limitAt === 0) return made
  if (limitAt <= now) {
    throw invalidClientMetadata(
      'metadata_not_yours',
      'client_secrets: they have expired, only an operator adds another.',
    )
  }
  return { ...made, secret: endBy(made.secret, limitAt) }
}

function endBy(secret: ClientSecret, instant: number): ClientSecret {
  const { expires_at = 0 } = secret
  return { ...secret, expires_at: expires_at === 0 ? instant : Math.min(expires_at, instant) }
}
