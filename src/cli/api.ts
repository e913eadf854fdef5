/** The server over HTTP: one request, its answer, or the line that says why there is none. */

import process from 'node:process'
import { causeText } from '../lib/cause.ts'
import { isLoopback } from '../lib/loopback.ts'
import { readToken } from './ask.ts'
import { CliError } from './errors.ts'

export interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
  readonly etag: string | undefined
}

/** Sends a request; gives any answer of an edgemint server, refusals too. */
export type Send = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>

/** Options that every command has which speaks to a server. */
export interface ServerOptions {
  readonly url?: string
}

export async function connect({
  url = process.env['EDGEMINT_URL'] || 'http://localhost:8080',
}: ServerOptions): Promise<Send> {
  const base = readBase(url)
  const authorization = `Bearer ${await readToken()}`
  return async (method, path, body, headers = {}) => {
    const sent = {
      Authorization: authorization,
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
      ...headers,
    }
    // A redirect would hand the token to somebody else.
    const init = {
      method,
      headers: sent,
      redirect: 'error',
      ...(body !== undefined && { body: JSON.stringify(body) }),
    } as const
    try {
      const response = await fetch(base + path, init)
      const text = await response.text()
      return {
        status: response.status,
        body: text === '' ? {} : JSON.parse(text),
        etag: response.headers.get('ETag') ?? undefined,
      }
    } catch (error) {
      if (error instanceof SyntaxError)
        throw new CliError('refused', `${base}${path} does not answer like an edgemint server`)
      throw new CliError('unreachable', `${base} cannot be reached: ${causeText(error)}`)
    }
  }
}

/** The token goes over TLS, or stays on this machine. */
function readBase(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  const isSafe = parsed?.protocol === 'https:' || (parsed?.protocol === 'http:' && isLoopback(parsed.hostname))
  if (!isSafe) throw new CliError('usage', `${url} is not an https URL (http only on a loopback host)`)
  return url.replace(/\/+$/, '')
}

/** Gives the body of an answer that succeeded. */
export function accept({ status, body }: Answer): Readonly<Record<string, unknown>> {
  if (status < 300) return body
  const { error = `status ${status}`, error_description = '' } = body
  // What the server says of any path that is not there.
  const isClosed = status === 404 && String(error_description).includes('this path')
  const hint = isClosed ? ' Is REGISTRATION_TOKEN set on the server?' : ''
  throw new CliError('refused', `${error}: ${error_description}${hint}`)
}

/** Gives every record of a list, read page by page. */
export async function listAll(send: Send, path: string, member: string): Promise<Readonly<Record<string, unknown>>[]> {
  const records: Readonly<Record<string, unknown>>[] = []
  let query = ''
  for (;;) {
    const body = accept(await send('GET', `${path}?limit=500${query}`))
    records.push(...(body[member] as typeof records))
    if (body['next_cursor'] === undefined) return records
    query = `&cursor=${encodeURIComponent(String(body['next_cursor']))}`
  }
}
