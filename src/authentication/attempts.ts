/** The credentials that a request presents, of exactly one kind. */

import { invalidRequest } from '../errors.ts'
import type { ClientAuth, CredentialKind, Presented } from '../features.ts'
import type { FormRequest } from '../types.ts'

/** The method of a public client, which has no credentials, RFC 7591 §2. */
const NONE = 'none'

/** Credentials that were found, and the method that they are for. */
export interface Attempt {
  readonly method: string
  readonly reads: CredentialKind
  readonly presented: Presented
}

/** Kinds that count only when the request presents nothing else. */
const ASIDE: readonly CredentialKind[] = ['connection', 'subject_token']

/**
 * Returns the attempts of the one kind that the request presents. When it presents none, returns those of the connection and of the
 * subject token. The first attempt names the client.
 *
 * @param ofGrant methods that read the subject token
 * @throws OAuthError `invalid_request` for malformed credentials, for more than one kind, and for two different client ids
 */
export function readAttempts(
  methods: readonly ClientAuth[],
  ofGrant: readonly ClientAuth[],
  request: FormRequest,
): readonly [Attempt, ...Attempt[]] {
  const aside: Attempt[] = []
  const found: Attempt[] = []
  for (const each of ofGrant.length === 0 ? methods : [...methods, ...ofGrant]) {
    const { method, reads } = each
    const presented = each.read(request)
    if (presented === undefined) continue
    const attempts = ASIDE.includes(reads) ? aside : found
    attempts.push({ method, reads, presented })
  }
  refuseUnknownAssertion(methods, found, request)
  const claimed = request.form.get('client_id') ?? ''
  const exchanged = aside.find(({ reads }) => reads === 'subject_token')
  const [attempt] = found
  if (attempt === undefined) return withoutCredentials(claimed || (exchanged?.presented.client_id ?? ''), aside)
  if (found.some(({ reads }) => reads !== attempt.reads)) {
    throw invalidRequest('credentials_several', 'A request must not use more than one method of client authentication.')
  }
  // Methods that read the same kind may find different client ids; a client_id in the form decides.
  const client_id = claimed === '' ? attempt.presented.client_id : claimed
  const [first, ...others] = found.filter(({ presented }) => presented.client_id === client_id)
  if (first === undefined) {
    throw invalidRequest('client_id_mismatch', 'The client_id must not differ from that of the credentials.')
  }
  // Clients such as google-auth cannot send a client_id in another way.
  const isNameOnly = exchanged !== undefined && first.presented.isNameOnly === true
  return isNameOnly ? withoutCredentials(client_id, aside) : [first, ...others]
}

function withoutCredentials(client_id: string, aside: readonly Attempt[]): readonly [Attempt, ...Attempt[]] {
  const presented: Presented = { client_id, verify: async () => undefined }
  return [{ method: NONE, reads: 'connection', presented }, ...aside]
}

/** Refuses an assertion that no method has read, though some method reads assertions, RFC 7521 §4.2. */
function refuseUnknownAssertion(
  methods: readonly ClientAuth[],
  found: readonly Attempt[],
  { form }: FormRequest,
): void {
  const isRead = ({ reads }: Pick<ClientAuth, 'reads'>): boolean => reads === 'assertion'
  const isPresented = (form.get('client_assertion_type') ?? form.get('client_assertion')) !== null
  if (isPresented && methods.some(isRead) && !found.some(isRead)) {
    throw invalidRequest('assertion_type_unknown', 'The client_assertion_type is missing or not supported.')
  }
}
