/** The parameters of a token exchange, and the identifiers of token types. */

import { invalidRequest } from '../errors.ts'
import type { Form } from '../types.ts'

/** The type of what is issued, RFC 8693 §3. */
export const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'

/** What platforms issue are JWTs, and some call them ID tokens. */
const PLATFORM_TYPES: readonly (string | null)[] = [
  'urn:ietf:params:oauth:token-type:jwt',
  'urn:ietf:params:oauth:token-type:id_token',
]

/** What a token exchange presents. */
export interface Exchange {
  readonly subjectToken: string
  /** Whether the subject token is an access token of this server and not the token of a platform. */
  readonly isOwn: boolean
  /** An access token of this server. */
  readonly actorToken: string | null
}

/**
 * Returns the tokens of an exchange.
 *
 * @param offersOwn whether access tokens of this server can be exchanged
 * @throws OAuthError `invalid_request` when the subject token or a type is missing, and for types and actors that are not supported.
 * Nothing that a client asks for is ignored.
 * @see {@link https://www.rfc-editor.org/rfc/rfc8693#section-2.1 RFC 8693 §2.1}
 */
export function readExchange(form: Form, offersOwn: boolean): Exchange {
  const subjectToken = form.get('subject_token')
  if (subjectToken === null) throw invalidRequest('subject_token_missing', 'The parameter subject_token is missing.')
  const isOwn = offersOwn && form.get('subject_token_type') === ACCESS_TOKEN
  if (!isOwn && !PLATFORM_TYPES.includes(form.get('subject_token_type'))) {
    const description = 'The subject_token_type is missing or not supported.'
    throw invalidRequest('subject_token_type_unsupported', description)
  }
  const [actorToken, actorType] = [form.get('actor_token'), form.get('actor_token_type')]
  const isActorFine = actorToken === null ? actorType === null : isOwn && actorType === ACCESS_TOKEN
  if (!isActorFine) {
    const description = 'An actor_token is supported only with its type, next to a subject_token of the same type.'
    throw invalidRequest('actor_token_unsupported', description)
  }
  if ((form.get('requested_token_type') ?? ACCESS_TOKEN) !== ACCESS_TOKEN) {
    throw invalidRequest('requested_token_type_unsupported', 'The requested_token_type is not supported.')
  }
  return { subjectToken, isOwn, actorToken }
}
