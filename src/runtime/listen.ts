/** Listening on Deno, Bun and Node: where, what is printed, and what happens when the address is not to be had. */

import process from 'node:process'
import { readListen } from '../config.ts'
import { isLoopbackAddress } from '../lib/ip_address.ts'
import type { Server } from '../start.ts'
import { curlLine } from './announce.ts'
import { printSafely, warn } from './process.ts'

/** The address to listen on. */
export interface Listen {
  readonly port: number
  /** Absent for every address of the machine. */
  readonly hostname?: string
}

/**
 * Returns where to listen: in development on loopback by default. A server with invalid settings listens too, to answer 503, but
 * ends the process if the port or the address itself is invalid.
 */
export function listenOptions(server: Server, environment: Readonly<Record<string, unknown>>): Listen {
  const { port, host = server.config?.dev ? '127.0.0.1' : undefined } = readListen(environment) ?? endProcess()
  return { port, ...(host !== undefined && { hostname: host }) }
}

function endProcess(): never {
  warn('edgemint: there is no valid address to listen on')
  process.exit(1)
}

/** Prints why the server cannot listen, and ends the process. */
export function refuseToListen(error: unknown, { port, hostname }: Listen): never {
  const { code = '', message = String(error) } = error as NodeJS.ErrnoException
  const place = hostname === undefined ? `port ${port}` : `port ${port} of ${hostname}`
  const isTaken = code === 'EADDRINUSE' || /in use|AddrInUse/.test(message)
  warn(
    isTaken
      ? `edgemint: ${place} is in use by another process; set PORT or --port to another one`
      : `edgemint: cannot listen on ${place}: ${message}`,
  )
  process.exit(1)
}

/**
 * Prints where the server listens and, in development, a request to try. Warns once if the server is not ready, for example because
 * Redis cannot be reached.
 *
 * @param address that is bound
 */
export function announce(server: Server, port: number, address: string): void {
  const isNearby = server.config?.dev || isLoopbackAddress(address)
  const host = isNearby ? 'localhost' : address.includes(':') ? `[${address}]` : address
  const origin = `http://${host}:${port}`
  printSafely(console.log, `edgemint: listening on ${origin}`)
  if (server.config?.dev) printSafely(console.log, curlLine(origin))
  if (server.config !== undefined) void warnIfUnready(server)
}

async function warnIfUnready(server: Server): Promise<void> {
  const problem = await problemOf(server)
  if (problem !== undefined) warn(`edgemint: not ready yet, and answering 503 until then:\n${problem}`)
}

/** Returns undefined when the server is ready, or else what `/readyz` reports. */
export async function problemOf({ app }: Server): Promise<string | undefined> {
  const response = await app.request('http://localhost/readyz?verbose')
  return response.ok ? undefined : (await response.text()).trimEnd()
}
