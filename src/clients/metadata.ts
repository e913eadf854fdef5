/** Client metadata as somebody hands it in: checked member by member, and then together. */

import * as v from 'valibot'
import { isPublicUrl } from '../assertions/remote_keys.ts'
import { invalidClientMetadata } from '../errors.ts'
import { isPlainText } from '../lib/plain_text.ts'
import { splitScope } from '../policy/scope.ts'
import { scopeMatcher } from '../policy/scope_patterns.ts'
import { ResourceId } from '../resources/registry.ts'
import { isFreeClaim, MAX_TOKEN_LIFETIME_SECONDS } from '../tokens/access_token.ts'
import { NAME_MEMBERS, problemOfNames } from './certificate_names.ts'
import type { RegisteredClient } from './record.ts'
import { problemOfKeys } from './registered_keys.ts'

/** What a client can be registered for. */
export interface Offer {
  readonly grantTypes: readonly string[]
  /** Without `none`. */
  readonly authMethods: readonly string[]
  readonly signingAlgs: readonly string[]
}

/** What a client is registered with, without what the server gives. */
export type Metadata = Omit<
  RegisteredClient,
  'client_id' | 'client_secrets' | 'client_id_issued_at' | 'registration_access_token_hash' | 'secret_limit_at'
>

const MAX_CLAIMS_CHARACTERS = 4096

const text = (most: number): v.GenericSchema<string> =>
  v.pipe(
    v.string('must be a text'),
    v.nonEmpty('must not be empty'),
    v.maxLength(most, `must have at most ${most} characters`),
  )
const list = <T>(item: v.GenericSchema<T>, most: number): v.GenericSchema<T[]> =>
  v.pipe(v.array(item, 'must be a list'), v.maxLength(most, `must hold at most ${most}`))

const Plain = v.pipe(text(200), v.check(isPlainText, 'holds what cannot be seen, or scripts that look alike'))

const PageUrl = v.pipe(
  text(2048),
  v.check((url) => /^https?:/.test(url) && URL.canParse(url), 'must be an http or https URL'),
)

const Scope = v.pipe(
  v.string('must be a text'),
  v.maxLength(8192, 'is too long'),
  v.regex(/^[\x20\x21\x23-\x5b\x5d-\x7e]*$/, 'must be scope tokens with blanks between'),
)

const Lifetime = v.pipe(
  v.number('must be seconds'),
  v.integer('must be whole seconds'),
  v.minValue(1, 'must be at least 1'),
  v.maxValue(MAX_TOKEN_LIFETIME_SECONDS, `must be at most ${MAX_TOKEN_LIFETIME_SECONDS}`),
)

const Claims = v.pipe(
  v.record(v.string(), v.unknown(), 'must be an object'),
  v.check((claims) => Object.keys(claims).every(isFreeClaim), 'names a claim that only the server sets'),
  v.check((claims) => JSON.stringify(claims).length <= MAX_CLAIMS_CHARACTERS, 'is too large'),
)

const Jwks = v.object(
  { keys: v.pipe(list(v.record(v.string(), v.unknown(), 'must hold objects'), 20), v.minLength(1, 'must hold a key')) },
  'must be a JWK Set',
)

const FLAGS = [
  'dpop_bound_access_tokens',
  'tls_client_certificate_bound_access_tokens',
  'introspection',
  'disabled',
] as const

/** By member, RFC 7591 §2 and ours; other members are passed over. */
export const ClientMetadata: v.GenericSchema<unknown, Metadata & { response_types?: string[] | undefined }> = v.object({
  ...v.entriesFromList(['client_name', 'software_id', 'software_version'], v.optional(Plain)),
  ...v.entriesFromList(['client_uri', 'logo_uri', 'tos_uri', 'policy_uri'], v.optional(PageUrl)),
  contacts: v.optional(list(Plain, 20)),
  grant_types: v.optional(list(v.string('must hold texts'), 20), ['client_credentials']),
  response_types: v.optional(
    v.pipe(v.array(v.string(), 'must be a list'), v.maxLength(0, 'must be empty, nobody can authorize anything here')),
  ),
  ...v.entriesFromList(['token_endpoint_auth_method', 'token_endpoint_auth_signing_alg'], v.optional(text(100))),
  jwks: v.optional(Jwks),
  jwks_uri: v.optional(
    v.pipe(text(2048), v.check(isPublicUrl, 'must be an https URL of a public host, without a user')),
  ),
  ...v.entriesFromList(['scope', 'default_scope'], v.optional(Scope)),
  resources: v.optional(list(ResourceId, 100)),
  access_token_lifetime: v.optional(Lifetime),
  claims: v.optional(Claims),
  ...v.entriesFromList(FLAGS, v.optional(v.boolean('must be true or false'))),
  ...v.entriesFromList(NAME_MEMBERS, v.optional(text(512))),
})

/**
 * Reads metadata.
 *
 * @throws OAuthError `invalid_client_metadata`, which names the member
 * @see RFC 7591 §2
 */
export async function readMetadata(given: Readonly<Record<string, unknown>>, offer: Offer): Promise<Metadata> {
  const read = v.safeParse(ClientMetadata, given, { abortEarly: true })
  if (!read.success) {
    const [{ message, ...issue }] = read.issues
    throw invalidClientMetadata('metadata_malformed', `${v.getDotPath(issue as never) ?? 'The body'}: ${message}.`)
  }
  const { response_types: _none, ...metadata } = read.output
  const problem = problemOf(metadata, offer) ?? problemOfNames(metadata) ?? (await problemOfKeys(metadata))
  if (problem !== undefined) throw invalidClientMetadata('metadata_inconsistent', problem)
  return metadata
}

/** What members say together. */
function problemOf(metadata: Metadata, offer: Offer): string | undefined {
  const { jwks, jwks_uri, grant_types = [], token_endpoint_auth_signing_alg: alg } = metadata
  const method = metadata.token_endpoint_auth_method ?? 'none'
  const methods = [...offer.authMethods, 'none']
  const names = NAME_MEMBERS.filter((name) => metadata[name] !== undefined)
  const tests: readonly [boolean, string][] = [
    [
      !grant_types.every((grant) => offer.grantTypes.includes(grant)),
      `grant_types: must be of: ${offer.grantTypes.join(', ')}.`,
    ],
    [
      method === 'client_secret_jwt',
      'token_endpoint_auth_method: client_secret_jwt is not offered, it needs secrets that the server can read.',
    ],
    [!methods.includes(method), `token_endpoint_auth_method: must be one of: ${methods.join(', ')}.`],
    [
      alg !== undefined && !offer.signingAlgs.includes(alg),
      `token_endpoint_auth_signing_alg: must be one of: ${offer.signingAlgs.join(', ')}.`,
    ],
    [
      metadata.token_endpoint_auth_method === 'none' && metadata.introspection === true,
      'introspection: needs a token_endpoint_auth_method other than none.',
    ],
    [jwks !== undefined && jwks_uri !== undefined, 'jwks: must not stand beside jwks_uri.'],
    [KEYED.includes(method) && (jwks ?? jwks_uri) === undefined, `jwks: this or jwks_uri is needed for ${method}.`],
    [
      method === 'tls_client_auth' && names.length !== 1,
      'token_endpoint_auth_method: tls_client_auth needs exactly one tls_client_auth_ member.',
    ],
    [!isWithin(metadata), 'default_scope: must be within scope and without a wildcard.'],
  ]
  return tests.find(([isWrong]) => isWrong)?.[1]
}

/** Methods whose proof is a key of the client. */
const KEYED: readonly string[] = ['private_key_jwt', 'self_signed_tls_client_auth']

function isWithin({ scope = '', default_scope = '' }: Metadata): boolean {
  return splitScope(default_scope).every(scopeMatcher(splitScope(scope)))
}
