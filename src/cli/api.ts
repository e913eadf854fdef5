/** Requests of the operator, and lists of records. */

import { readToken } from './ask.ts'
import { CliError } from './errors.ts'
import { type Answer, isObject, type Members, malformed, openServer, refusalText, type ServerOptions } from './http.ts'

/** Sends a request with a JSON body. Returns every response of an edgemint server, including refusals. */
export type Send = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>

/** Of all pages of a list: no server has so many clients that a person lists them. */
const MAX_RECORDS = 1_000_000

/** Pages have 500 records each. */
const MAX_PAGES = 10_000

/** Returns a function that sends requests to the server with the operator's token. */
export async function connect(options: ServerOptions): Promise<Send> {
  const exchange = openServer(options)
  const Authorization = `Bearer ${await readToken()}`
  return (method, path, body, headers = {}) =>
    body === undefined
      ? exchange({ method, path, headers: { Authorization, ...headers } })
      : exchange({
          method,
          path,
          headers: { Authorization, 'Content-Type': 'application/json', ...headers },
          body: JSON.stringify(body),
        })
}

/** Returns the body of a successful response. @throws CliError `refused` for any other */
export function accept(answer: Answer): Members {
  if (answer.status < 300) return answer.body
  throw new CliError('refused', refusalText(answer) + hintOf(answer))
}

function hintOf({ status, body: { error, error_description } }: Answer): string {
  if (error === 'invalid_token') return ' Is EDGEMINT_TOKEN the REGISTRATION_TOKEN of this server?'
  // The server's response for an unknown path.
  const isClosed = status === 404 && typeof error_description === 'string' && error_description.includes('this path')
  return isClosed ? ' Is REGISTRATION_TOKEN set on the server?' : ''
}

/** Every URL parser drops these segments of a path, percent-encoded or not. */
export const DOTS: readonly string[] = ['.', '..']

/** Returns an identifier as a segment of a path. @throws CliError `usage` if the request would go to another path */
export function segment(id: string): string {
  if (DOTS.includes(id)) throw new CliError('usage', `${id} is not an identifier: no URL can contain it`)
  return encodeURIComponent(id)
}

/** Returns a member of a body that is a list of objects. A response without it is not that of an edgemint server. */
export function listOf(body: Members, member: string): readonly Members[] {
  const list = body[member]
  return Array.isArray(list) && list.every(isObject) ? list : malformed(`${member} is not a list of objects`)
}

/** Yields the pages of a list as they arrive. */
export async function* pagesOf(send: Send, path: string, member: string): AsyncGenerator<readonly Members[], void> {
  const cursors = new Set<unknown>()
  let query = ''
  let records = 0
  for (let pages = 0; pages < MAX_PAGES && records < MAX_RECORDS; pages++) {
    const body = accept(await send('GET', `${path}?limit=500${query}`))
    const page = listOf(body, member)
    yield page
    records += page.length
    const cursor = body['next_cursor']
    if (cursor === undefined) return
    if (typeof cursor !== 'string' || cursor === '') malformed('next_cursor is not a string')
    if (cursors.has(cursor)) malformed('next_cursor repeats')
    cursors.add(cursor)
    query = `&cursor=${encodeURIComponent(cursor.toWellFormed())}`
  }
  malformed(`the list has more than ${MAX_PAGES} pages or ${MAX_RECORDS} records`)
}
