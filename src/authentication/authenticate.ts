/** Client authentication: finds the credentials of a request, looks up the client they name, and verifies them. */

import { attributed } from '../attribution.ts'
import { methodsOf } from '../clients/record.ts'
import { type FindClient, isClientId } from '../clients/registry.ts'
import { invalidClient, invalidRequest } from '../errors.ts'
import type { ClientAuth, CredentialKind, Presented, Proof } from '../features.ts'
import { requireNames } from '../lib/names.ts'
import type { ClientReason, CustomReason } from '../reasons.ts'
import type { Client, Context, FormRequest } from '../types.ts'

/** The method of a public client, which has no credentials, RFC 7591 §2. */
const NONE = 'none'

/** A client that has authenticated. */
export interface Authenticated {
  readonly client: Client
  /** The foreign token with which it did, if it did with one. */
  readonly proof?: Proof | undefined
}

/** The client authentication that endpoints share. */
export interface Authentication {
  readonly methods: readonly ClientAuth[]
  readonly findClient: FindClient
  /**
   * Returns the authenticated client. A public client is only identified: it has nothing that proves its identity.
   *
   * @throws OAuthError `invalid_request` for malformed credentials or more than one method, `invalid_client` when authentication
   * fails, `temporarily_unavailable` when a store, the keys or the CPU budget are not available
   * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-2.3 RFC 6749 §2.3}
   */
  authenticate(request: FormRequest, context: Context): Promise<Authenticated>
}

/**
 * Returns the authentication by any of these methods.
 *
 * @throws TypeError when there is no method, or when two have the same name
 */
export function authentication(methods: readonly ClientAuth[], findClient: FindClient): Authentication {
  requireNames(
    'authentication: methods',
    methods.map(({ method }) => method),
  )
  return {
    methods,
    findClient,
    authenticate: (request, context) => authenticate(methods, findClient, request, context),
  }
}

/** Returns the metadata members of an endpoint with client authentication, such as `token`, RFC 8414 §2. */
export function authMetadata(endpoint: string, { methods }: Authentication): Readonly<Record<string, unknown>> {
  const own = Object.assign({}, ...methods.map(({ metadata }) => metadata)) as Readonly<Record<string, unknown>>
  const renamed = Object.entries(own).map(([member, value]) => [member.replace(/^token_/, `${endpoint}_`), value])
  return {
    [`${endpoint}_endpoint_auth_methods_supported`]: methods.map(({ method }) => method),
    ...Object.fromEntries(renamed),
  }
}

interface Attempt {
  readonly method: string
  readonly reads: CredentialKind
  readonly presented: Presented
}

async function authenticate(
  methods: readonly ClientAuth[],
  findClient: FindClient,
  request: FormRequest,
  context: Context,
): Promise<Authenticated> {
  const attempts = readAttempts(methods, request)
  const { client_id } = attempts[0].presented
  if (client_id === '') throw invalidClient('credentials_missing')
  try {
    if (!isClientId(client_id)) throw invalidClient('client_id_malformed')
    const client = await findClient(client_id)
    if (client === undefined) throw invalidClient('client_unknown')
    const found = await verify(client, attempts, context)
    if (typeof found !== 'string') return { client, proof: found }
    // The cached record may be outdated: a secret or key that was registered since then must work at once.
    const renewed = await findClient(client_id, { refresh: true })
    if (renewed === undefined || isSameRecord(renewed, client)) throw invalidClient(found)
    const foundAgain = await verify(renewed, attempts, context)
    if (typeof foundAgain === 'string') throw invalidClient(foundAgain)
    return { client: renewed, proof: foundAgain }
  } catch (error) {
    throw attributed(error, client_id)
  }
}

function isSameRecord(a: Client, b: Client): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

async function verify(
  client: Client,
  attempts: readonly Attempt[],
  context: Context,
): Promise<ClientReason | CustomReason | Proof | undefined> {
  if (client.disabled) return 'client_disabled'
  const attempt = attempts.find(({ method }) => methodsOf(client).includes(method))
  return attempt === undefined ? 'auth_method_mismatch' : attempt.presented.verify(client, context)
}

/** Returns the attempts of the one kind that the request presents, or those of the connection when it presents none. */
function readAttempts(methods: readonly ClientAuth[], request: FormRequest): readonly [Attempt, ...Attempt[]] {
  const ofRequest: Attempt[] = []
  const ofConnection: Attempt[] = []
  for (const each of methods) {
    const { method, reads } = each
    const presented = each.read(request)
    if (presented === undefined) continue
    const attempts = reads === 'connection' ? ofConnection : ofRequest
    attempts.push({ method, reads, presented })
  }
  refuseUnknownAssertion(methods, ofRequest, request)
  const claimed = request.form.get('client_id') ?? ''
  const [attempt] = ofRequest
  if (attempt === undefined) {
    const presented = { client_id: claimed, verify: async () => undefined }
    return [{ method: NONE, reads: 'connection', presented }, ...ofConnection]
  }
  if (ofRequest.some(({ reads }) => reads !== attempt.reads)) {
    throw invalidRequest('credentials_several', 'A request must not use more than one method of client authentication.')
  }
  // Methods that read the same kind may find different client ids; a client_id in the form decides.
  const client_id = claimed === '' ? attempt.presented.client_id : claimed
  const [first, ...others] = ofRequest.filter(({ presented }) => presented.client_id === client_id)
  if (first === undefined) {
    throw invalidRequest('client_id_mismatch', 'The client_id must not differ from that of the credentials.')
  }
  return [first, ...others]
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
