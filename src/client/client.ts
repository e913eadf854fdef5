/** Access tokens for this process: asked for, kept and renewed. */

import { epochSeconds } from '../lib/clock.ts'
import { isSafeUrl } from '../lib/safe_url.ts'
import { singleFlight } from '../lib/single_flight.ts'
import { type IssuedToken, MAX_RETRY_SECONDS, readAnswer, readJsonObject, TokenError } from './answer.ts'
import type { Credentials } from './credentials.ts'
import { makeProver, type Prover } from './prover.ts'
import { sender } from './send.ts'

/** Share of its life after which a token is replaced. */
const RENEWAL = 0.75

const TIMEOUT_SECONDS = 10

/** Requests for one token, the first included. */
const MAX_TRIES = 4

const DEFAULT_WAIT_SECONDS = 30

/** What a client is made from. */
export interface TokenClientOptions {
  readonly issuer: string
  /** By default `/token` below the issuer, as edgemint has it. */
  readonly tokenEndpoint?: string | undefined
  readonly clientId: string
  readonly credentials: Credentials
  /** Scopes to ask for, separated by spaces. */
  readonly scope?: string | undefined
  /** The API that the token is for, RFC 8707. */
  readonly resource?: string | undefined
  /** Whether tokens are bound to a key of this process. */
  readonly dpop?: boolean | undefined
  /** The origins that tokens are sent to. By default that of `resource`, if it is an https URL, or an http URL of this machine. */
  readonly origins?: readonly string[] | undefined
  /** How long a caller waits at most while the server asks to come back later. 30 seconds by default. */
  readonly maxWaitSeconds?: number | undefined
  readonly fetch?: ((request: Request) => Promise<Response>) | undefined
  /** Returns epoch seconds. */
  readonly now?: (() => number) | undefined
  readonly wait?: ((seconds: number) => Promise<void>) | undefined
}

export interface TokenClient {
  /** Returns a token that lives for a while. Rejects with a TokenError when the server issues none. */
  token(): Promise<IssuedToken>
  /** `fetch` with a token, and with DPoP a proof. Rejects with a TypeError for an origin that tokens are not sent to. */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>
}

/**
 * Returns a client that asks for its first token when it needs it.
 *
 * @throws TypeError when the token endpoint is not at an https URL, or an http URL of this machine
 */
export function tokenClient(options: TokenClientOptions): TokenClient {
  const { now = epochSeconds, maxWaitSeconds = DEFAULT_WAIT_SECONDS, wait = pause } = options
  const { fetch: send = (request: Request) => fetch(request) } = options
  const flight = singleFlight<IssuedToken>(maxWaitSeconds + MAX_TRIES * TIMEOUT_SECONDS)
  let held: IssuedToken | undefined
  let prover: Promise<Prover> | undefined
  /** The server is not asked before this instant. */
  let restUntil = Number.NEGATIVE_INFINITY
  const findProver = (): Promise<Prover> | undefined => {
    if (options.dpop) prover ??= makeProver()
    return prover
  }
  const ask = requester(options, { send, findProver, now })

  const askPatiently = async (): Promise<IssuedToken> => {
    let waited = 0
    for (let tries = 1; ; tries++) {
      // A rest that is longer than any is from before the clock was set back.
      const rest = restUntil - now() > MAX_RETRY_SECONDS ? 0 : Math.max(0, restUntil - now())
      if (rest > 0 && waited + rest > maxWaitSeconds) throw new TokenError(503, undefined, 'the server rests', rest)
      if (rest > 0) await wait(rest)
      waited += rest
      try {
        held = await ask()
        return held
      } catch (error) {
        if (!isPassing(error) || tries === MAX_TRIES) throw error
        restUntil = now() + (error instanceof TokenError ? (error.retryAfterSeconds ?? tries) : tries)
      }
    }
  }
  const token = async (): Promise<IssuedToken> => {
    const current = held
    if (current !== undefined && isYoung(current, now())) return current
    // While the server rests, the held token is as good as it was.
    const isUsable = current !== undefined && now() < current.expiresAt - 1
    if (isUsable && now() < restUntil) return current
    return flight('', askPatiently).catch((error: unknown) => {
      if (isUsable && isPassing(error) && now() < current.expiresAt) return current
      throw error
    })
  }
  const forget = (refused: IssuedToken): void => {
    if (held === refused) held = undefined
  }
  return { token, fetch: sender({ origins: originsOf(options), token, forget, findProver, send }) }
}

function pause(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000))
}

/** Returns whether a token is not due for renewal. One of the future is from before the clock was set back. */
function isYoung({ issuedAt, expiresAt }: IssuedToken, now: number): boolean {
  return now >= issuedAt && now < issuedAt + (expiresAt - issuedAt) * RENEWAL
}

/** Returns whether the same request may succeed later: the server is busy, or could not be reached. */
function isPassing(error: unknown): boolean {
  return error instanceof TokenError ? error.status === 429 || error.status >= 500 : true
}

function originsOf({ origins, resource = '' }: TokenClientOptions): readonly string[] {
  return origins ?? (isSafeUrl(resource) ? [new URL(resource).origin] : [])
}

interface Tools {
  readonly send: (request: Request) => Promise<Response>
  readonly findProver: () => Promise<Prover> | undefined
  readonly now: () => number
}

/** Returns the function that asks the token endpoint once, and again with the nonce that it wants. */
function requester(options: TokenClientOptions, { send, findProver, now }: Tools): () => Promise<IssuedToken> {
  const { issuer, clientId, credentials, scope, resource } = options
  const url = options.tokenEndpoint ?? `${issuer.replace(/\/$/, '')}/token`
  if (!isSafeUrl(url)) throw new TypeError('tokenEndpoint: must be an https URL')
  const tokenType = options.dpop ? 'DPoP' : 'Bearer'
  let nonce: string | undefined
  const ask = async (): Promise<Response> => {
    const optional = { ...(scope !== undefined && { scope }), ...(resource !== undefined && { resource }) }
    const proven = await credentials({ clientId, issuer })
    const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId, ...proven, ...optional })
    const headers = new Headers({ Accept: 'application/json' })
    const prover = await findProver()
    if (prover !== undefined) headers.set('DPoP', await prover.prove({ method: 'POST', url, nonce }))
    const signal = AbortSignal.timeout(TIMEOUT_SECONDS * 1000)
    const response = await send(new Request(url, { method: 'POST', body, headers, redirect: 'manual', signal }))
    nonce = response.headers.get('DPoP-Nonce') ?? nonce
    return response
  }
  return async () => {
    const first = await ask()
    const body = await readJsonObject(first)
    if (body['error'] !== 'use_dpop_nonce') return readAnswer(first, body, { tokenType, now: now() })
    const second = await ask()
    return readAnswer(second, await readJsonObject(second), { tokenType, now: now() })
  }
}
