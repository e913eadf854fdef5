/** `/revocations`: the list of denials for resource servers that verify offline, and the operator's cuts. */

import { Hono } from 'hono'
import * as v from 'valibot'
import type { Connection } from '../certificates/client_cert.ts'
import { isClientId } from '../clients/registry.ts'
import { invalidRequest, OAuthError, temporarilyUnavailable } from '../errors.ts'
import type { Emit } from '../events/events.ts'
import { emitFrom } from '../http/caller.ts'
import { limitJson, readJson } from '../http/json.ts'
import { publicText, publish } from '../http/public_document.ts'
import { jsonHeaders } from '../http/respond.ts'
import { type Keyring, signingKeyOf } from '../keys/keyring.ts'
import { readInput } from '../lib/read_input.ts'
import { singleFlight } from '../lib/single_flight.ts'
import { within } from '../lib/within.ts'
import type { Revocations } from '../tokens/revocations.ts'
import { signJwt } from '../tokens/sign.ts'
import { requireOperator } from './client_records.ts'
import type { Endpoint } from './endpoint.ts'
import type { NamedSchema, Operation } from './operation.ts'

/** The server makes a new list after this time, and caches may keep the old one for this time on top of that. */
const FRESH_SECONDS = 30

const VALID_SECONDS = 300

/** After a failure, no list is made for this long: it is expensive for the store, and anyone may request it. */
const RETRY_SECONDS = 5

/** Maximum time to make a list. */
const MAKING_SECONDS = 10

/** Schema of the operator's request to deny tokens. */
const Cut: v.GenericSchema<unknown, { client_id?: string | undefined; before?: number | undefined }> = v.object({
  client_id: v.optional(
    v.pipe(v.string('must be a string'), v.check(isClientId, 'must be 1 to 256 visible ASCII characters and spaces')),
  ),
  before: v.optional(
    v.pipe(v.number('must be epoch seconds'), v.integer('must be epoch seconds'), v.minValue(1, 'must be at least 1')),
  ),
})

export interface RevocationsOptions {
  readonly revocations: Revocations
  readonly keyring: Keyring
  /** Hash of the operator's token. Without it, there is no `POST`. */
  readonly operatorTokenHash?: string | undefined
  readonly emit: Emit
}

const PATH = '/revocations'

const tag = 'Tokens'

const LIST: NamedSchema = { name: 'RevocationsJwt', schema: { type: 'string' } }

const LIST_OPERATION: Operation = {
  operationId: 'listRevocations',
  tag,
  summary: 'Returns all denials as a signed JWT',
  answers: { 200: { type: 'application/jwt', schema: LIST } },
  errors: [503],
  example: 'eyJ0eXAiOiJyZXZvY2F0aW9ucytqd3QifQ.eyJyZXZva2VkIjpbXX0.c2lnbmF0dXJl',
}

const CUT_OPERATION: Operation = {
  operationId: 'cutTokens',
  tag,
  summary: 'Denies the tokens of one client or of all clients that were issued until now or until `before`',
  json: { name: 'Cut', schema: Cut },
  answers: { 200: { schema: { name: 'Cut', schema: Cut } } },
  errors: [400, 401, 413, 415, 503],
  security: 'operator',
  example: { client_id: 'billing', before: 1_800_000_000 },
}

/** Returns the endpoint that serves the list and, when there is an operator, accepts cuts. */
export function revocationsEndpoint(options: RevocationsOptions): Endpoint {
  const { operatorTokenHash, revocations, emit } = options
  return {
    path: PATH,
    metadataMember: 'revocations_uri',
    operations: {
      [PATH]: { get: LIST_OPERATION, ...(operatorTokenHash !== undefined && { post: CUT_OPERATION }) },
    },
    routes({ issuerOf, now }) {
      const app = new Hono<{ Bindings: Connection }>()
      const list = revocationList(options, now)
      publish(app, '/', (c) => list(issuerOf(c.req.url), c.req.header('If-None-Match')))
      if (operatorTokenHash === undefined) return app
      return app.post('/', limitJson, async (c) => {
        await requireOperator(c, operatorTokenHash)
        const denied = await cut(await readJson(c), revocations, now())
        emitFrom(c, emit, { event: 'tokens_cut', ...denied })
        return new Response(JSON.stringify(denied), { headers: jsonHeaders })
      })
    },
  }
}

/** The last attempt to make a list. `jwt` is undefined when it failed. */
interface Attempt {
  readonly issuer: string
  readonly at: number
  readonly jwt?: string
  readonly error?: unknown
}

/**
 * Returns a function that answers with the list as a JWT of `typ` `revocations+jwt`, whose claims are the members of `Denied`.
 * At most one list is made every 30 seconds.
 */
function revocationList(
  { revocations, keyring }: RevocationsOptions,
  now: () => number,
): (issuer: string, ifNoneMatch?: string) => Promise<Response> {
  let last: Attempt | undefined
  // On Workers the request that makes the list may be cancelled; then the others wait a little longer than it could take.
  const making = singleFlight<Attempt>(MAKING_SECONDS + 1)
  const respond = publicText('application/jwt', FRESH_SECONDS)
  const make = async (issuer: string, at: number): Promise<string> => {
    const claims = { iss: issuer, iat: at, exp: at + VALID_SECONDS, ...(await revocations.list()) }
    return signJwt(claims, 'revocations+jwt', signingKeyOf(await keyring.at(at)))
  }
  const attempt = async (issuer: string): Promise<Attempt> => {
    const at = now()
    last = await within(MAKING_SECONDS, make(issuer, at), `no list within ${MAKING_SECONDS} s`).then(
      (jwt) => ({ issuer, at, jwt }),
      (error: unknown) => ({ issuer, at, error: unavailable(error) }),
    )
    return last
  }
  const fresh = (issuer: string): Promise<Attempt> =>
    making(issuer, () => attempt(issuer)).catch((error: unknown) => {
      throw unavailable(error)
    })
  return async (issuer, ifNoneMatch) => {
    const seconds = last?.jwt === undefined ? RETRY_SECONDS : FRESH_SECONDS
    const isFresh = last?.issuer === issuer && last.at <= now() && now() < last.at + seconds
    const { jwt, error } = isFresh && last !== undefined ? last : await fresh(issuer)
    if (jwt === undefined) throw error
    return respond(jwt, ifNoneMatch)
  }
}

function unavailable(error: unknown): OAuthError {
  return error instanceof OAuthError
    ? error
    : temporarilyUnavailable('store_failed', 'The list of revocations cannot be made in time.', error)
}

interface CutMade {
  readonly client_id?: string
  readonly before: number
}

async function cut(body: object, revocations: Revocations, now: number): Promise<CutMade> {
  const refuse = (problem: string): OAuthError => invalidRequest('cut_malformed', problem)
  const { client_id, before: until = now } = readInput(Cut, body, refuse)
  if (until > now) throw refuse('before: must not be in the future.')
  const before = await revocations.cut(until, client_id)
  return { ...(client_id !== undefined && { client_id }), before }
}
