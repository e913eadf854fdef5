/** `/revocations`: what is denied, for resource servers that verify offline; and an operator's wider cuts. */

import { Hono, type Context as HonoContext } from 'hono'
import * as v from 'valibot'
import { invalidRequest } from '../errors.ts'
import { type Keyring, signingKeyAt } from '../keys/keyring.ts'
import { singleFlight } from '../lib/single_flight.ts'
import type { Revocations } from '../tokens/revocations.ts'
import { signJwt } from '../tokens/sign.ts'
import { type RegisterParts, requireOperator } from './client_records.ts'
import { limitJson, readJson } from './json_request.ts'
import { jsonHeaders } from './respond.ts'

/** How long a list is given out, and how long caches may keep it beside. */
const FRESH_SECONDS = 30

const VALID_SECONDS = 300

export interface FeedParts {
  readonly revocations: Revocations
  readonly keyring: Keyring
  now(): number
}

/**
 * Gives a function that answers with the list as a JWT of `typ` `revocations+jwt`: `revoked` (ids), `clients` (instants by id)
 * and `all`. One is made in half a minute at most.
 */
export function revocationList({ revocations, keyring, now }: FeedParts): (issuer: string) => Promise<Response> {
  const made = new Map<string, { readonly jwt: string; readonly at: number }>()
  const making = singleFlight<string>(VALID_SECONDS)
  const make = async (issuer: string): Promise<string> => {
    const at = now()
    const claims = { iss: issuer, iat: at, exp: at + VALID_SECONDS, ...(await revocations.list()) }
    const jwt = await signJwt(claims, 'revocations+jwt', signingKeyAt(keyring, at))
    made.clear()
    made.set(issuer, { jwt, at })
    return jwt
  }
  return async (issuer) => {
    const held = made.get(issuer)
    const isFresh = held !== undefined && held.at <= now() && now() < held.at + FRESH_SECONDS
    const jwt = isFresh ? held.jwt : await making(issuer, () => make(issuer))
    const headers = { 'Content-Type': 'application/jwt', 'Cache-Control': `public, max-age=${FRESH_SECONDS}` }
    return new Response(jwt, { headers })
  }
}

/** What an operator denies. */
export const Cut: v.GenericSchema<unknown, { client_id?: string | undefined; before?: number | undefined }> = v.object({
  client_id: v.optional(v.string('must be a text')),
  before: v.optional(v.pipe(v.number('must be epoch seconds'), v.integer('must be epoch seconds'), v.minValue(1))),
})

/** Gives the operator's side: `POST` denies all tokens issued until now, or until `before`; of a client, or of all. */
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
  const { client_id, before = parts.now() } = read.output
  if (before > parts.now()) throw invalidRequest('cut_malformed', 'before: must not lie ahead.')
  await revocations.cut(before, client_id)
  parts.emit({ event: 'tokens_cut', before, ...(client_id !== undefined && { client_id }) })
  return new Response(JSON.stringify({ ...(client_id && { client_id }), before }), { headers: jsonHeaders })
}
