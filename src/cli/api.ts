/** HTTP requests to the server, with its responses or the reason why there is none. */

import process from 'node:process'
import type { Command } from 'commander'
import { isLoopback } from '../lib/loopback.ts'
import { readBytes } from '../lib/read_bytes.ts'
import { nonEmpty, positiveNumber } from './arguments.ts'
import { readToken } from './ask.ts'
import { trustAuthority } from './authority.ts'
import { CliError } from './errors.ts'
import { unreachableText } from './unreachable.ts'

export type Members = Readonly<Record<string, unknown>>

export interface Answer {
  readonly status: number
  readonly body: Members
  readonly etag: string | undefined
}

/** Sends a request. Returns every response of an edgemint server, including refusals. */
export type Send = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>

/** Options of every command that sends requests. */
export interface ServerOptions {
  readonly url?: string
  /** Seconds. */
  readonly timeout?: number
  /** A file with certificates in PEM. */
  readonly ca?: string
  readonly insecureHttp?: boolean
  readonly json?: boolean
}

const DEFAULT_TIMEOUT_SECONDS = 10

/** Twice the size of a page of 500 records of the maximum size. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024

/** JSON.stringify fails with twice as many. The claims of a client, the deepest member of a record, have at most 2048. */
const MAX_LEVELS = 2500

/** Of each text in a refusal. */
const MAX_TEXT_CHARACTERS = 500

/** Of all pages of a list: no server has so many clients that a person lists them. */
const MAX_RECORDS = 1_000_000

/** Pages have 500 records each. */
const MAX_PAGES = 10_000

/** Adds the options of `ServerOptions`, and refuses empty arguments. */
export function withServer(command: Command): Command {
  for (const argument of command.registeredArguments) argument.argParser(nonEmpty)
  return command
    .option('--url <url>', 'URL of the server (default: EDGEMINT_URL, or http://localhost:8080)')
    .option('--timeout <seconds>', 'time limit of each request', positiveNumber, DEFAULT_TIMEOUT_SECONDS)
    .option('--ca <file>', 'certificates in PEM of an authority to trust, besides the usual ones')
    .option('--insecure-http', 'allow plain http to another machine, which then sends the token unencrypted')
    .option('--json', 'print JSON, also for errors')
}

/** Returns a function that sends requests to the server with the operator's token. */
export async function connect({
  url = process.env['EDGEMINT_URL'] || 'http://localhost:8080',
  timeout = DEFAULT_TIMEOUT_SECONDS,
  ca,
  insecureHttp = false,
}: ServerOptions): Promise<Send> {
  const base = readBase(url, insecureHttp)
  if (ca !== undefined) trustAuthority(ca)
  const authorization = `Bearer ${await readToken()}`
  return async (method, path, body, headers = {}) => {
    const init = {
      method,
      headers: {
        Authorization: authorization,
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
        ...headers,
      },
      // The token must not follow a redirect to another server.
      redirect: 'manual',
      signal: AbortSignal.timeout(timeout * 1000),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    } as const
    try {
      return await readAnswer(await fetch(base + path, init), base + path)
    } catch (error) {
      if (error instanceof CliError) throw error
      throw new CliError('unreachable', `${base} cannot be reached: ${unreachableText(error, timeout)}`)
    }
  }
}

/** Requires TLS, or a server on this machine, because requests contain the operator's token. */
function readBase(url: string, isHttpAllowed: boolean): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  const isSafe =
    parsed?.protocol === 'https:' || (parsed?.protocol === 'http:' && (isHttpAllowed || isLoopback(parsed.hostname)))
  if (!isSafe)
    throw new CliError('usage', `${url} is not an https URL (http only on a loopback host, or with --insecure-http)`)
  return url.replace(/\/+$/, '')
}

async function readAnswer(response: Response, url: string): Promise<Answer> {
  const { status, headers } = response
  if (status >= 300 && status < 400) {
    const target = shorten(headers.get('Location') ?? 'nowhere')
    throw new CliError('refused', `${url} redirects to ${target}, status ${status}: redirects are not followed`)
  }
  const body = parseBody(await readText(response, url))
  if (body === undefined)
    throw new CliError('refused', `the response of ${url} is not from an edgemint server: status ${status}`)
  if (isDeeper(body, MAX_LEVELS)) malformed(`it has more than ${MAX_LEVELS} levels`)
  return { status, body, etag: headers.get('ETag') ?? undefined }
}

async function readText(response: Response, url: string): Promise<string> {
  try {
    return new TextDecoder().decode(await readBytes(response, MAX_ANSWER_BYTES))
  } catch (error) {
    throw error instanceof RangeError ? new CliError('refused', `the response of ${url} has ${error.message}`) : error
  }
}

function parseBody(text: string): Members | undefined {
  if (text === '') return {}
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Returns whether objects and lists are nested in more than so many levels. */
function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((each) => isDeeper(each, levels - 1))
}

/** Returns the body of a successful response. @throws CliError `refused` for any other */
export function accept(answer: Answer): Members {
  if (answer.status < 300) return answer.body
  throw new CliError('refused', refusalText(answer) + hintOf(answer))
}

/** Returns the error of a refusal with its description, or else its status. */
export function refusalText({ status, body: { error, error_description } }: Answer): string {
  const texts = [error, error_description].filter((text) => typeof text === 'string').filter((text) => text !== '')
  return texts.map(shorten).join(': ') || `status ${status}`
}

function shorten(text: string): string {
  return text.length > MAX_TEXT_CHARACTERS ? `${text.slice(0, MAX_TEXT_CHARACTERS)}…` : text
}

function hintOf({ status, body: { error, error_description } }: Answer): string {
  if (error === 'invalid_token') return ' Is EDGEMINT_TOKEN the REGISTRATION_TOKEN of this server?'
  // The server's response for an unknown path.
  const isClosed = status === 404 && typeof error_description === 'string' && error_description.includes('this path')
  return isClosed ? ' Is REGISTRATION_TOKEN set on the server?' : ''
}

/** Reports a successful response with an unexpected body. @throws CliError `refused` */
export function malformed(problem: string): never {
  throw new CliError('refused', `the server's response is malformed: ${problem}`)
}

/** Returns a member of a body that is a list of objects, or an empty list if it is absent. */
export function listOf(body: Members, member: string): readonly Members[] {
  const list = body[member] ?? []
  return Array.isArray(list) && list.every(isObject) ? list : malformed(`${member} is not a list of objects`)
}

/** Returns all records of a list, from all its pages. */
export async function listAll(send: Send, path: string, member: string): Promise<readonly Members[]> {
  const pages: (readonly Members[])[] = []
  const cursors = new Set<unknown>()
  let query = ''
  let records = 0
  while (pages.length < MAX_PAGES && records < MAX_RECORDS) {
    const body = accept(await send('GET', `${path}?limit=500${query}`))
    const page = listOf(body, member)
    pages.push(page)
    records += page.length
    const cursor = body['next_cursor']
    if (cursor === undefined) return pages.flat()
    if (typeof cursor !== 'string' || cursor === '') malformed('next_cursor is not a string')
    if (cursors.has(cursor)) malformed('next_cursor repeats')
    cursors.add(cursor)
    query = `&cursor=${encodeURIComponent(cursor.toWellFormed())}`
  }
  return malformed(`the list has more than ${MAX_PAGES} pages`)
}
