/** HTTP requests to a server that may be hostile, with its responses or the reason why there is none. */

import process from 'node:process'
import type { Command } from 'commander'
import { parseJson } from '../lib/json.ts'
import { isLoopback } from '../lib/loopback.ts'
import { readBytes } from '../lib/read_bytes.ts'
import { nonEmpty, timeLimit } from './arguments.ts'
import { CliError } from './errors.ts'
import { isDeeper, MAX_LEVELS } from './levels.ts'
import type { Incoming } from './node_request.ts'
import { fetchWith, type TlsOptions } from './tls.ts'
import { unreachableText } from './unreachable.ts'

export type Members = Readonly<Record<string, unknown>>

export interface Answer {
  readonly status: number
  readonly body: Members
  readonly etag: string | undefined
  /** What the next DPoP proof must contain. */
  readonly dpopNonce: string | undefined
}

/** Options of every command that sends requests. */
export interface ServerOptions extends TlsOptions {
  readonly url?: string
  readonly insecureHttp?: boolean
  /** Seconds. */
  readonly timeout?: number
  readonly json?: boolean
}

interface HttpRequest {
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** Sends a request. Returns every response that contains a JSON object or nothing, including refusals. */
export type Exchange = (request: HttpRequest) => Promise<Answer>

const DEFAULT_TIMEOUT_SECONDS = 10

/** Twice the size of a page of 500 records of the maximum size. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024

const NO_URL = { protocol: '', hostname: '', username: '', password: '' }

/** Of each text in a refusal. */
const MAX_TEXT_CHARACTERS = 500

/** Adds the options of `ServerOptions`, and refuses empty arguments. */
export function withServer(command: Command): Command {
  for (const argument of command.registeredArguments) argument.argParser(nonEmpty)
  return command
    .option('--url <url>', 'URL of the server (default: EDGEMINT_URL, or http://localhost:8080)')
    .option('--ca <file>', 'PEM file of a certificate authority to trust besides the known ones')
    .option('--insecure-http', 'allow http, unencrypted, to a host that is not this machine')
    .option('--timeout <seconds>', 'time limit of each request', timeLimit, DEFAULT_TIMEOUT_SECONDS)
    .option('--json', 'print JSON, also for errors')
}

/** Returns the URL of the server, without a final slash. @throws CliError `usage` if credentials must not be sent there */
export function serverUrl({ url, insecureHttp = false }: ServerOptions): string {
  return readBase(url ?? (process.env['EDGEMINT_URL'] || 'http://localhost:8080'), insecureHttp)
}

/** Returns a function that sends requests to the server. @throws CliError `usage` for a bad URL or PEM file */
export function openServer(options: ServerOptions): Exchange {
  const { timeout = DEFAULT_TIMEOUT_SECONDS } = options
  const base = serverUrl(options)
  const send = fetchWith(options)
  return async ({ method, path, headers = {}, body }) => {
    // A signal of AbortSignal.timeout would keep the request in memory until the time is over.
    const limit = new AbortController()
    const timer = setTimeout(() => limit.abort(new DOMException('', 'TimeoutError')), timeout * 1000)
    const { signal } = limit
    const init = {
      method,
      headers,
      // Credentials must not follow a redirect to another server.
      redirect: 'manual',
      signal,
      ...(body !== undefined && { body }),
    } as const
    try {
      return await readAnswer(await send(base + path, init), base + path)
    } catch (error) {
      if (error instanceof CliError) throw error
      const reason = signal.aborted ? signal.reason : error
      throw new CliError('unreachable', `${base} cannot be reached: ${unreachableText(reason, timeout)}`)
    } finally {
      clearTimeout(timer)
    }
  }
}

/**
 * Requires TLS, or a server on this machine, because requests contain credentials. Refuses user information, which some runtimes
 * send instead of the operator's token, and what cannot precede a path.
 */
function readBase(url: string, isHttpAllowed: boolean): string {
  const { protocol, hostname, username, password } = URL.canParse(url) ? new URL(url) : NO_URL
  const isSafe = protocol === 'https:' || (protocol === 'http:' && (isHttpAllowed || isLoopback(hostname)))
  const isBare = username === '' && password === '' && !/[?#]/.test(url)
  if (isSafe && isBare) return url.replace(/\/+$/, '')
  const problem = !isBare
    ? 'it must not contain a user name, a password, a query or a fragment'
    : protocol === 'http:'
      ? 'http to another machine would send credentials unencrypted; use https, or --insecure-http inside a network that you trust'
      : 'it must begin with https://, or with http:// for a server on this machine'
  // What may contain a password is not quoted.
  throw new CliError('usage', `${/[@?#]/.test(url) ? 'the URL of the server' : url} cannot be used: ${problem}`)
}

async function readAnswer(response: Incoming, url: string): Promise<Answer> {
  const { status, headers } = response
  if (status >= 300 && status < 400) {
    const target = shorten(headers.get('Location') ?? 'nowhere')
    throw new CliError('refused', `${url} redirects to ${target}, status ${status}: redirects are not followed`)
  }
  const body = parseBody(await readText(response, url))
  if (body === undefined)
    throw new CliError('refused', `the response of ${url} is not from an edgemint server: status ${status}`)
  if (isDeeper(body, MAX_LEVELS)) malformed(`it has more than ${MAX_LEVELS} levels`)
  const [etag, dpopNonce] = ['ETag', 'DPoP-Nonce'].map((name) => headers.get(name) ?? undefined)
  return { status, body, etag, dpopNonce }
}

async function readText(response: Incoming, url: string): Promise<string> {
  try {
    return new TextDecoder().decode(await readBytes(response, MAX_ANSWER_BYTES))
  } catch (error) {
    throw error instanceof RangeError ? new CliError('refused', `the response of ${url} has ${error.message}`) : error
  }
}

function parseBody(text: string): Members | undefined {
  const value = text === '' ? {} : parseJson(text)
  return isObject(value) ? value : undefined
}

export function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Returns the error of a refusal with its description, or else its status. */
export function refusalText({ status, body: { error, error_description } }: Answer): string {
  const texts = [error, error_description].filter((text) => typeof text === 'string').filter((text) => text !== '')
  return texts.map(shorten).join(': ') || `status ${status}`
}

/** Returns a text of the server, cut to what fits into a message. */
export function shorten(text: string): string {
  return text.length > MAX_TEXT_CHARACTERS ? `${text.slice(0, MAX_TEXT_CHARACTERS)}…` : text
}

/** Reports a successful response with an unexpected body. @throws CliError `refused` */
export function malformed(problem: string): never {
  throw new CliError('refused', `the server's response is malformed: ${problem}`)
}
