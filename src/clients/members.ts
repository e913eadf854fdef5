/** The members of a client: who may set each of them, and the schemas of its stored and its submitted value. */

import * as v from 'valibot'
import { JwkSet } from '../assertions/jwk_set.ts'
import { Scope } from '../policy/scope.ts'
import { ResourceId } from '../resources/registry.ts'
import type { Client } from '../types.ts'
import { Claims, GrantTypes, Keys, Lifetime, listOf, PageUrl, Plain, ReuseSeconds, upTo } from './member_checks.ts'
import { StoredCredentials } from './stored_credentials.ts'
import { StoredExchange } from './stored_exchange.ts'

/**
 * A client with the members that only people and the registration endpoint read.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7591#section-2 RFC 7591 §2}
 * @see {@link https://www.rfc-editor.org/rfc/rfc7591#section-3.2.1 RFC 7591 §3.2.1}
 */
export interface RegisteredClient extends Client {
  readonly client_name?: string | undefined
  readonly client_uri?: string | undefined
  readonly logo_uri?: string | undefined
  readonly tos_uri?: string | undefined
  readonly policy_uri?: string | undefined
  readonly contacts?: readonly string[] | undefined
  readonly software_id?: string | undefined
  readonly software_version?: string | undefined
  /** Epoch seconds. */
  readonly client_id_issued_at?: number | undefined
  /** Hash of its `registration_access_token`. */
  readonly registration_access_token_hash?: string | undefined
  /** Latest expiry of secrets that the client adds itself, in epoch seconds; 0 for no limit. See `secretLimitOf`. */
  readonly secret_limit_at?: number | undefined
}

/** The members that are submitted as metadata. Secrets are submitted separately, and the server sets the others. */
export type Metadata = Omit<
  RegisteredClient,
  'client_id' | 'client_secrets' | 'client_id_issued_at' | 'registration_access_token_hash' | 'secret_limit_at'
>

/** Who sets a member: only the operator, the operator and the client itself, or only the server. */
export type Setter = 'operator' | 'client' | 'server'

interface StoredMember<T> {
  readonly setBy: Setter
  /** Checks the type only: a record stays readable when `given` becomes stricter. */
  readonly stored: v.GenericSchema<unknown, T>
}

interface GivenMember<T> extends StoredMember<T> {
  /** Checks the submitted value. Each of its messages completes a sentence that begins with the name of the member. */
  readonly given: v.GenericSchema<unknown, T>
}

type Members = {
  readonly [Name in keyof RegisteredClient]-?: Name extends keyof Metadata
    ? GivenMember<RegisteredClient[Name]>
    : StoredMember<RegisteredClient[Name]>
}

/** 1 to 256 visible ASCII characters and spaces, RFC 6749 appendix A.1 with a limit of this server. */
export const ClientId: v.GenericSchema<string> = v.pipe(v.string(), v.regex(/^[\x20-\x7e]{1,256}$/))

/** Every request may cost one comparison for each secret. */
export const MAX_SECRETS = 10

const Seconds = v.pipe(v.number(), v.integer(), v.minValue(0))

const StoredSecret = v.object({
  id: v.string(),
  hash: v.string(),
  label: v.optional(v.string()),
  created_at: v.optional(Seconds),
  expires_at: v.optional(Seconds),
  set_by_client: v.optional(v.boolean()),
})

const CertificateName = upTo(512)
const Text = v.string()
const Texts = v.array(Text)
const Flag = v.boolean('must be true or false')

function member<T>(
  setBy: Setter,
  stored: v.GenericSchema<unknown, T>,
  given: v.GenericSchema<unknown, T>,
): GivenMember<T | undefined> {
  return { setBy, stored: v.optional(stored), given: v.optional(given) }
}

/** By name, in the order in which they are checked and shown. */
const MEMBERS: Members = {
  client_id: { setBy: 'server', stored: ClientId },
  client_secrets: { setBy: 'operator', stored: v.optional(v.pipe(v.array(StoredSecret), v.maxLength(MAX_SECRETS))) },
  client_name: member('client', Text, Plain),
  software_id: member('client', Text, Plain),
  software_version: member('client', Text, Plain),
  client_uri: member('client', Text, PageUrl),
  logo_uri: member('client', Text, PageUrl),
  tos_uri: member('client', Text, PageUrl),
  policy_uri: member('client', Text, PageUrl),
  contacts: member('client', Texts, listOf(Plain, 20)),
  grant_types: { ...member('operator', Texts, GrantTypes), given: v.optional(GrantTypes, ['client_credentials']) },
  token_endpoint_auth_method: member('client', Text, upTo(100)),
  token_endpoint_auth_signing_alg: member('client', Text, upTo(100)),
  jwks: member('client', JwkSet, Keys),
  jwks_uri: member('client', Text, upTo(2048)),
  scope: member('operator', Text, Scope),
  default_scope: member('operator', Text, Scope),
  resources: member('operator', Texts, listOf(ResourceId, 100)),
  access_token_lifetime: member('operator', v.pipe(Seconds, v.minValue(1)), Lifetime),
  token_reuse_seconds: member('operator', Seconds, ReuseSeconds),
  claims: member('operator', v.record(v.string(), v.unknown()), Claims),
  dpop_bound_access_tokens: member('operator', Flag, Flag),
  tls_client_certificate_bound_access_tokens: member('operator', Flag, Flag),
  introspection: member('operator', Flag, Flag),
  assertion_issuers: member('operator', Texts, listOf(upTo(256), 20)),
  // `ClientMetadata` checks what is submitted of these two.
  token_exchange: member('operator', StoredExchange, StoredExchange),
  federated_credentials: member('operator', StoredCredentials, StoredCredentials),
  disabled: member('operator', Flag, Flag),
  tls_client_auth_subject_dn: member('client', Text, CertificateName),
  tls_client_auth_san_dns: member('client', Text, CertificateName),
  tls_client_auth_san_uri: member('client', Text, CertificateName),
  tls_client_auth_san_ip: member('client', Text, CertificateName),
  tls_client_auth_san_email: member('client', Text, CertificateName),
  client_id_issued_at: { setBy: 'server', stored: v.optional(Seconds) },
  registration_access_token_hash: { setBy: 'server', stored: v.optional(v.string()) },
  secret_limit_at: { setBy: 'server', stored: v.optional(Seconds) },
}

const ENTRIES = Object.entries(MEMBERS) as [keyof RegisteredClient, StoredMember<unknown> | GivenMember<unknown>][]

/** Names of the members that only an operator sets. */
export const OPERATOR_MEMBERS: readonly (keyof RegisteredClient)[] = ENTRIES.filter(
  ([, { setBy }]) => setBy === 'operator',
).map(([name]) => name)

/** Names of the members with which a client authenticates instead of a secret. */
export const CREDENTIAL_MEMBERS: readonly (keyof RegisteredClient)[] = [
  'jwks',
  'jwks_uri',
  ...ENTRIES.map(([name]) => name).filter((name) => name.startsWith('tls_client_auth_')),
]

type Schemas<T> = { readonly [Name in keyof T]-?: v.GenericSchema<unknown, T[Name]> }

/** Schemas of the stored members, by name. */
export const STORED: Schemas<RegisteredClient> = Object.fromEntries(
  ENTRIES.map(([name, { stored }]) => [name, stored]),
) as Schemas<RegisteredClient>

/** Schemas of the submitted members, by name. */
export const GIVEN: Schemas<Metadata> = Object.fromEntries(
  ENTRIES.flatMap(([name, each]) => ('given' in each ? [[name, each.given]] : [])),
) as Schemas<Metadata>
