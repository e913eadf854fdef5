/** Serving in a process, as the entry and `edgemint serve` do it on Deno, Bun and Node. */

import process from 'node:process'
import { setInterval } from 'node:timers'
import { type Address, readAddress } from '../listen_address.ts'
import { type Server, UNCONFIGURED_LINE } from '../start.ts'
import { curlLine } from './announce.ts'
import type { LineWriter } from './line_writer.ts'
import { type Operator, plainOperator } from './operator.ts'
import { auditLog, processHost } from './process.ts'
import type { CreateServer, Environment, Listener, ProcessRuntime } from './runtime.ts'
import { drainable, stopOnSignals } from './stop.ts'

/** Addresses on which requests to `localhost` arrive. */
const LOCALHOST: readonly string[] = ['127.0.0.1', '0.0.0.0', '::']

/** What is printed while the start of every signing key is in the future. */
export const UNSIGNED_TEXT = 'no key of SIGNING_KEYS signs yet: the signs_from of each is in the future'

/** The same, where keys are stored: none is there, or none can be decrypted. */
export const UNREADABLE_TEXT = 'no stored signing key can be used; the log says why'

function unsignedText({ rotation }: Server): string {
  return rotation === undefined ? UNSIGNED_TEXT : UNREADABLE_TEXT
}

/** A server that does not listen yet. */
export interface Opened {
  readonly server: Server
  readonly log: LineWriter
  readonly environment: Environment
  readonly operator: Operator
}

/** Creates the server, and prints what is wrong with the settings. */
export async function open(
  { backends = {}, openOutput }: ProcessRuntime,
  createServer: CreateServer,
  environment: Environment,
  operator: Operator = plainOperator,
): Promise<Opened> {
  const log = auditLog(openOutput())
  const server = await createServer(processHost(environment, { backends, log, operator }))
  return { server, log, environment, operator }
}

/** Creates the server and listens until a signal ends the process. */
export async function serve(
  runtime: ProcessRuntime,
  createServer: CreateServer,
  environment: Environment,
  operator?: Operator,
): Promise<void> {
  await listen(runtime, await open(runtime, createServer, environment, operator))
}

/** Listens until a signal ends the process. Ends it at once, with exit code 1, if there is no address to listen on. */
export async function listen(runtime: ProcessRuntime, { server, log, environment, operator }: Opened): Promise<void> {
  const address = readAddress(environment)
  // `open` has printed why.
  if (address === undefined) process.exit(1)
  const { app, drain } = drainable(server.app)
  try {
    const listener = await runtime.listen(app, address)
    rotateInTime(server)
    stopOnSignals(log, environment, () => drain(listener.stop))
    announce(server, listener, operator)
  } catch (error) {
    const message = unboundText(error, address)
    operator.warn(`edgemint: ${message}`, { notice: 'cannot_listen', message })
    process.exit(1)
  }
}

/** Rotates the keys of a server without requests. A request does so as well, so a failure is reported there. */
export function rotateInTime({ rotation }: Pick<Server, 'rotation'>): void {
  if (rotation === undefined) return
  setInterval(() => void rotation.rotate().catch(() => undefined), rotation.everySeconds * 1000).unref()
}

/**
 * Prints where the server listens and, in development, a request to try. Warns once if the server cannot
 * issue tokens yet.
 */
export function announce(
  server: Server,
  { hostname, port }: Pick<Listener, 'hostname' | 'port'>,
  operator: Operator = plainOperator,
): void {
  const { config } = server
  // In development requests have to name this machine, also where `deno serve` listens on all interfaces.
  const host = config?.dev && LOCALHOST.includes(hostname) ? 'localhost' : hostname
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  const listening = `listening on ${url}`
  operator.print(`edgemint: ${listening}`, { notice: 'listening', message: listening, url })
  if (config?.dev) {
    const line = curlLine(url)
    operator.print(line, { notice: 'development', message: withoutName(line) })
  }
  if (config === undefined)
    operator.warn(UNCONFIGURED_LINE, { notice: 'not_configured', message: withoutName(UNCONFIGURED_LINE) })
  void warnUnlessReady(server, operator)
}

/** Prints whether the server would be ready. What is wrong with its settings is printed already. */
export async function reportReadiness(server: Server, operator: Operator): Promise<boolean> {
  const { isSigning = false, ledgerError } = (await server.readReadiness()) ?? {}
  if (server.config !== undefined && !isSigning) {
    const message = unsignedText(server)
    operator.warn(`edgemint: ${message}`, { notice: 'key_not_signing', message })
  }
  if (ledgerError !== undefined) {
    const message = `STORE_URL cannot be reached: ${ledgerError}`
    operator.warn(`edgemint: ${message}`, { notice: 'store_unreachable', message })
  }
  const isReady = isSigning && ledgerError === undefined
  const message = 'the settings are valid, a key signs, and the store answers'
  if (isReady) operator.print(`edgemint: ${message}`, { notice: 'ready', message })
  return isReady
}

/** The server runs meanwhile, and connects when the store is there. */
async function warnUnlessReady(server: Server, operator: Operator): Promise<void> {
  const readiness = await server.readReadiness()
  if (readiness === undefined) return
  const { isSigning, ledgerError } = readiness
  if (!isSigning) {
    const message = `${unsignedText(server)}. Requests for tokens are answered with 503 until one does.`
    operator.warn(`edgemint: ${message}`, { notice: 'key_not_signing', message })
  }
  if (ledgerError === undefined) return
  const message = `STORE_URL cannot be reached yet: ${ledgerError}. Requests that need it are answered with 503 until it can.`
  operator.warn(`edgemint: ${message}`, { notice: 'store_unreachable', message })
}

function withoutName(line: string): string {
  return line.slice('edgemint: '.length)
}

function unboundText(error: unknown, { port, hostname }: Address): string {
  const { code, message } = error as Error & { readonly code?: string }
  const place = hostname === undefined ? `port ${port}` : `port ${port} of ${hostname}`
  if (code === 'EADDRINUSE') return `${place} is in use by another process; set PORT or --port to another one`
  return `cannot listen on ${place}: ${message}`
}
