/** Client metadata as submitted. Each member is checked by itself, then all of them together. */

import * as v from 'valibot'
import { isPublicUrl } from '../assertions/remote_keys.ts'
import { invalidClientMetadata } from '../errors.ts'
import { readInput } from '../lib/read_input.ts'
import { splitScope } from '../policy/scope.ts'
import { scopeMatcher } from '../policy/scope_patterns.ts'
import { NAME_MEMBERS, problemOfNames } from './certificate_names.ts'
import { CredentialList } from './credential_schema.ts'
import { Exchange } from './exchange_schema.ts'
import { GIVEN, type Metadata } from './members.ts'
import { methodsOf } from './record.ts'
import { problemOfKeys } from './registered_keys.ts'

/** The values for which a client can be registered on this server. */
export interface Offer {
  readonly grantTypes: readonly string[]
  /** Without `none`. */
  readonly authMethods: readonly string[]
  readonly signingAlgs: readonly string[]
}

/** Schemas of the submitted members, by name: large ones are here and not where records are read, which every server does. */
export const SUBMITTED: typeof GIVEN = {
  ...GIVEN,
  federated_credentials: v.optional(CredentialList),
  token_exchange: v.optional(Exchange),
}

/** Schema of submitted metadata: the members of RFC 7591 §2 and those of this server. Unknown members are ignored. */
export const ClientMetadata: v.GenericSchema<unknown, Metadata & { response_types?: string[] | undefined }> = v.object({
  ...SUBMITTED,
  response_types: v.optional(
    v.pipe(
      v.array(v.string(), 'must be a list'),
      v.maxLength(0, 'must be empty, because there are no users to authorize a request'),
    ),
  ),
})

const KEYS_URL = 'must be an https URL of a public host, without user information'

/**
 * Returns submitted metadata after all checks.
 *
 * @throws OAuthError `invalid_client_metadata` with the name of the member
 * @see {@link https://www.rfc-editor.org/rfc/rfc7591#section-2 RFC 7591 §2}
 */
export async function readMetadata(given: Readonly<Record<string, unknown>>, offer: Offer): Promise<Metadata> {
  const { response_types: _none, ...metadata } = readInput(ClientMetadata, given, (problem) =>
    invalidClientMetadata('metadata_malformed', problem),
  )
  if (metadata.jwks_uri !== undefined && !isPublicUrl(metadata.jwks_uri)) {
    throw invalidClientMetadata('metadata_malformed', `jwks_uri: ${KEYS_URL}.`)
  }
  const problem = problemOf(metadata, offer) ?? problemOfNames(metadata) ?? (await problemOfKeys(metadata))
  if (problem !== undefined) throw invalidClientMetadata('metadata_inconsistent', `${problem}.`)
  return metadata
}

/** Returns an error text that begins with the name of a member, or undefined if the members are consistent. */
function problemOf(metadata: Metadata, offer: Offer): string | undefined {
  const { jwks, jwks_uri, grant_types = [], token_endpoint_auth_signing_alg: alg } = metadata
  const { grantTypes, signingAlgs } = offer
  const methods = methodsOf(metadata)
  const offered = [...offer.authMethods, 'none']
  if (!grant_types.every((grant) => grantTypes.includes(grant))) {
    return `grant_types: each must be one of: ${grantTypes.join(', ')}`
  }
  if (methods.includes('client_secret_jwt')) {
    return 'token_endpoint_auth_method: client_secret_jwt is not offered, because it needs secrets that the server can read'
  }
  if (!methods.some((method) => offered.includes(method))) {
    return `token_endpoint_auth_method: must be one of: ${offered.join(', ')}`
  }
  if (alg !== undefined && !signingAlgs.includes(alg)) {
    return `token_endpoint_auth_signing_alg: must be one of: ${signingAlgs.join(', ')}`
  }
  if (methods.includes('none') && metadata.introspection === true) {
    return 'introspection: requires a token_endpoint_auth_method other than none'
  }
  if (jwks !== undefined && jwks_uri !== undefined) return 'jwks: must not be combined with jwks_uri'
  const keyed = methods.find((method) => KEYED.includes(method))
  if (keyed !== undefined && (jwks ?? jwks_uri) === undefined) return `jwks: ${keyed} requires jwks or jwks_uri`
  const names = NAME_MEMBERS.filter((name) => metadata[name] !== undefined)
  if (methods.includes('tls_client_auth') && names.length !== 1) {
    return 'token_endpoint_auth_method: tls_client_auth requires exactly one tls_client_auth_ member'
  }
  return isWithin(metadata) ? undefined : 'default_scope: must be within scope and must not contain a wildcard'
}

/** Methods that authenticate a client by a key that it has registered. */
const KEYED: readonly string[] = ['private_key_jwt', 'self_signed_tls_client_auth']

function isWithin({ scope = '', default_scope = '' }: Metadata): boolean {
  return splitScope(default_scope).every(scopeMatcher(splitScope(scope)))
}
