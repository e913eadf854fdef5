/** Requests to key management services: JSON both ways, bounded in time, size and number, without redirects. */

import { OAuthError, temporarilyUnavailable } from '../errors.ts'
import { parseJson } from '../lib/json.ts'
import { readBytes } from '../lib/read_bytes.ts'
import { slots } from '../lib/slots.ts'
import { TimeoutError, within } from '../lib/within.ts'

/** Longest time that one request takes, without the time it waits for its turn. */
export const CALL_SECONDS: number = 5

/** Longest time that a request waits for its turn. */
const WAIT_SECONDS = 2

/** The longest time until a call is answered or has failed. */
export const MAX_CALL_SECONDS: number = CALL_SECONDS + WAIT_SECONDS

const MAX_RUNNING = 32
const MAX_WAITING = 256
const MAX_BYTES = 256 * 1024
const MAX_RETRY_SECONDS = 60

/** Seconds until a caller may retry what the service refused: the operator has to mend it. */
const REFUSED_RETRY_SECONDS = 30

/** The name of an error of AWS, which tells what is wrong and holds nothing of the request. */
const ERROR_TYPE = /^(?:[\w.]+#)?([A-Za-z]{3,64})$/

/** One request. The body is JSON. */
export interface ServiceRequest {
  readonly url: string
  readonly method: 'GET' | 'POST'
  readonly headers: Headers
  readonly body?: string
}

/**
 * Sends a request and returns the document that a service answers with 200.
 *
 * @throws OAuthError `temporarily_unavailable` for everything else; neither it nor its cause holds a credential
 */
export type CallService = (request: ServiceRequest) => Promise<unknown>

export interface TransportOptions {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>
  /** Returns milliseconds. */
  readonly clock?: () => number
}

/** Returns the function that sends all requests of this process or isolate, at most 32 at a time. */
export function serviceTransport({ fetch, clock = Date.now }: TransportOptions): CallService {
  const run = slots({
    clock,
    maxRunning: MAX_RUNNING,
    maxWaiting: MAX_WAITING,
    maxWaitMilliseconds: WAIT_SECONDS * 1000,
    maxHeldMilliseconds: (CALL_SECONDS + 1) * 1000,
  })
  return async (request) => {
    const answer = await run(() => within(CALL_SECONDS, send(request, fetch), 'no answer in time')).catch(
      (error: unknown) => {
        throw failed(`${hostOf(request)}: ${networkProblem(error)}`)
      },
    )
    if (answer === undefined)
      throw temporarilyUnavailable('key_service_busy', 'Too many signatures are being made.', undefined, 1)
    if (answer.status !== 200) throw refused(request, answer)
    if (answer.document === undefined) throw failed(`${hostOf(request)}: the answer is not JSON`)
    return answer.document
  }
}

/** Returns the error for a service that does not do what it is asked for. @param problem without any part of a credential */
export function failed(problem: string, retryAfter?: number): OAuthError {
  const description = 'The key management service does not answer.'
  return temporarilyUnavailable('key_service_failed', description, new Error(problem), retryAfter)
}

/** Throws the error for a failure: that of the service, or that what it sent is malformed or did not come in time. */
export function toFailure(error: unknown): never {
  if (error instanceof OAuthError) throw error
  const isOurs = error instanceof TypeError || error instanceof TimeoutError
  throw failed(isOurs ? error.message : 'the answer is malformed')
}

interface Answer {
  readonly status: number
  readonly retryAfter: string | null
  readonly document: unknown
}

async function send({ url, method, headers, body }: ServiceRequest, fetch: TransportOptions['fetch']): Promise<Answer> {
  const signal = AbortSignal.timeout(CALL_SECONDS * 1000)
  const response = await fetch(url, { method, headers, body: body ?? null, redirect: 'manual', signal })
  const octets = await readBytes(response, MAX_BYTES)
  return {
    status: response.status,
    retryAfter: response.headers.get('Retry-After'),
    document: parseJson(new TextDecoder().decode(octets)),
  }
}

function refused(request: ServiceRequest, { status, retryAfter, document }: Answer): OAuthError {
  const type = errorType(document)
  const isBusy = status === 429 || status >= 500 || /Throttl|LimitExceeded|Unavailable/.test(type)
  const asked = /^\d{1,4}$/.test(retryAfter ?? '')
    ? Math.min(Math.max(Number(retryAfter), 1), MAX_RETRY_SECONDS)
    : undefined
  return failed(
    `${hostOf(request)}: status ${status}${type === '' ? '' : ` ${type}`}`,
    isBusy ? asked : REFUSED_RETRY_SECONDS,
  )
}

/** Returns the name that AWS gives an error. The messages of services are left out: they may quote what was sent. */
function errorType(document: unknown): string {
  if (typeof document !== 'object' || document === null || !('__type' in document)) return ''
  return ERROR_TYPE.exec(String(document.__type))?.[1] ?? ''
}

/** Returns the code of a failed connection, such as ECONNREFUSED. Other messages of fetch may quote a header. */
function networkProblem(error: unknown): string {
  if (!(error instanceof Error)) return 'no answer'
  if (error instanceof RangeError) return error.message
  const { cause = error } = error
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : ''
  return /^[A-Z][A-Z_]+$/.test(code) ? `no answer, ${code}` : `no answer, ${error.name}`
}

function hostOf({ url }: ServiceRequest): string {
  return new URL(url).host
}
