/** `/revocations`: what is denied, for resource servers that verify offline; and an operator's wider cuts. */

import { Hono, type Context as HonoContext } from 'hono'
import * as v from 'valibot'
import { isClientId } from '../clients/registry.ts'
import { invalidRequest } from '../errors.ts'
import { type Keyring, signingKeyAt } from '../keys/keyring.ts'
import { singleFlight } from '../lib/single_flight.ts'
import type { Revocations } from '../tokens/revocations.ts'
import { signJwt } from '../tokens/sign.ts'
import { type RegisterParts, requireOperator } from './client_records.ts'
import { limitJson, readJson } from './json_request.ts'
import { publicText } from './public_document.ts'
import { jsonHeaders } from './respond.ts'

/** How long a list is given out, and how long caches may keep it beside. */
const FRESH_SECONDS = 30

const VALID_SECONDS = 300

/** How long after a failure no list is tried: one costs the store much, and anyone may ask for it. */
const SPARED_SECONDS = 5

/** How long a request waits for the list that another request is making. */
const MAKING_SECONDS = 10

export interface FeedParts {
  readonly revocations: Revocations
  readonly keyring: Keyring
  now(): number
}

/** The last attempt to make a list; `jwt` is undefined when it failed. */
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
export function revocationList({ revocations, keyring, now }: FeedParts): (issuer: string) => Promise<Response> {
  let last: Attempt | undefined
  const making = singleFlight<Attempt>(MAKING_SECONDS)
  const respond = publicText('application/jwt', FRESH_SECONDS)
  const make = async (issuer: string, at: number): Promise<string> => {
    const claims = { iss: issuer, iat: at, exp: at + VALID_SECONDS, ...(await revocations.list()) }
    return signJwt(claims, 'revocations+jwt', signingKeyAt(keyring, at))
  }
  const attempt = async (issuer: string): Promise<Attempt> => {
    const at = now()
    last = await make(issuer, at).then(
      (jwt) => ({ issuer, at, jwt }),
      (error: unknown) => ({ issuer, at, error }),
    )
    return last
  }
  return async (issuer) => {
    const seconds = last?.jwt === undefined ? SPARED_SECONDS : FRESH_SECONDS
    const isFresh = last?.issuer === issuer && last.at <= now() && now() < last.at + seconds
    const { jwt, error } = isFresh && last !== undefined ? last : await making(issuer, () => attempt(issuer))
    if (jwt === undefined) throw error
    return respond(jwt)
  }
}

/** What an operator denies. */
export const Cut: v.GenericSchema<unknown, { client_id?: string | undefined; before?: number | undefined }> = v.object({
  client_id: v.optional(
    v.pipe(v.string('must be a text'), v.check(isClientId, 'must be 1 to 256 visible ASCII characters and spaces')),
  ),
  before: v.optional(v.pipe(v.number('must be epoch seconds'), v.integer('must be epoch seconds'), v.minValue(1))),
})

/** Returns the operator's side: `POST` denies all tokens issued until now, or until `before`; of a client, or of all. */
export function cutTokens(parts: RegisterParts, revocations: Revocations): Hono {
  const app = new Hono()
  app.post('/', limitJson, (c) => cut(c, parts, revocations))
  return app
}

async function cut(c: HonoContext, parts: RegisterParts, revocations: Revocations): Promise<Response> {
  await requireOperator(c, parts)
  const read = v.safeParse(Cut, await readJson(c))
  if (!read.success) {
    const [issue] = read.issues
    throw invalidRequest('cut_malformed', `${v.getDotPath(issue) ?? 'The body'}: ${issue.message}.`)
  }
  const { client_id, before: until = parts.now() } = read.output
  if (until > parts.now()) throw invalidRequest('cut_malformed', 'before: must not lie ahead.')
  const before = await revocations.cut(until, client_id)
  parts.emit({ event: 'tokens_cut', before, ...(client_id !== undefined && { client_id }) })
  return new Response(JSON.stringify({ ...(client_id && { client_id }), before }), { headers: jsonHeaders })
}
