/** Serving in a process, as the entry and `edgemint serve` do it on Deno, Bun and Node. */

import process from 'node:process'
import { type Address, readAddress } from '../config.ts'
import { type Server, UNCONFIGURED_LINE } from '../start.ts'
import { curlLine } from './announce.ts'
import type { LineWriter } from './line_writer.ts'
import { auditLog, printSafely, processHost, warn } from './process.ts'
import type { CreateServer, Environment, Listener, ProcessRuntime } from './runtime.ts'
import { drainable, stopOnSignals } from './stop.ts'

/** Addresses on which requests to `localhost` arrive. */
const LOCALHOST: readonly string[] = ['127.0.0.1', '0.0.0.0', '::']

/** What is printed while the start of every signing key is in the future. */
export const UNSIGNED_TEXT = 'no key of SIGNING_KEYS signs yet: the signs_from of each is in the future'

/** A server that does not listen yet. */
export interface Opened {
  readonly server: Server
  readonly log: LineWriter
  readonly environment: Environment
}

/** Creates the server, and prints what is wrong with the settings. */
export async function open(
  { backends = {}, openOutput }: ProcessRuntime,
  createServer: CreateServer,
  environment: Environment,
): Promise<Opened> {
  const log = auditLog(openOutput())
  return { server: await createServer(processHost(environment, { backends, log })), log, environment }
}

/** Creates the server and listens until a signal ends the process. */
export async function serve(
  runtime: ProcessRuntime,
  createServer: CreateServer,
  environment: Environment,
): Promise<void> {
  await listen(runtime, await open(runtime, createServer, environment))
}

/** Listens until a signal ends the process. Ends it at once, with exit code 1, if there is no address to listen on. */
export async function listen(runtime: ProcessRuntime, { server, log, environment }: Opened): Promise<void> {
  const address = readAddress(environment)
  // `open` has printed why.
  if (address === undefined) process.exit(1)
  const { app, drain } = drainable(server.app)
  try {
    const listener = await runtime.listen(app, address)
    stopOnSignals(log, environment, () => drain(listener.stop))
    announce(server, listener)
  } catch (error) {
    warn(`edgemint: ${unboundText(error, address)}`)
    process.exit(1)
  }
}

/**
 * Prints where the server listens and, in development, a request to try. Warns once if the server cannot
 * issue tokens yet.
 */
export function announce(server: Server, { hostname, port }: Pick<Listener, 'hostname' | 'port'>): void {
  const { config } = server
  // In development requests have to name this machine, also where `deno serve` listens on all interfaces.
  const host = config?.dev && LOCALHOST.includes(hostname) ? 'localhost' : hostname
  const origin = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  printSafely(console.log, `edgemint: listening on ${origin}`)
  if (config?.dev) printSafely(console.log, curlLine(origin))
  if (config === undefined) warn(UNCONFIGURED_LINE)
  void warnUnlessReady(server)
}

/** The server runs meanwhile, and connects when the store is there. */
async function warnUnlessReady(server: Server): Promise<void> {
  const readiness = await server.readReadiness()
  if (readiness === undefined) return
  const { isSigning, ledgerError } = readiness
  if (!isSigning) warn(`edgemint: ${UNSIGNED_TEXT}. Requests for tokens are answered with 503 until one does.`)
  if (ledgerError === undefined) return
  warn(
    `edgemint: STORE_URL cannot be reached yet: ${ledgerError}. Requests that need it are answered with 503 until it can.`,
  )
}

function unboundText(error: unknown, { port, hostname }: Address): string {
  const { code, message } = error as Error & { readonly code?: string }
  const place = hostname === undefined ? `port ${port}` : `port ${port} of ${hostname}`
  if (code === 'EADDRINUSE') return `${place} is in use by another process; set PORT or --port to another one`
  return `cannot listen on ${place}: ${message}`
}
