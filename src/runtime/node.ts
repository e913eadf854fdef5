/** Node: an adapter of Hono serves the Fetch handler. */

import process from 'node:process'
import { type Http2Bindings, type HttpBindings, serve as listen } from '@hono/node-server'
import { isHost, refuseHost } from './host_header.ts'
import { announce, listenOptions, refuseToListen } from './listen.ts'
import { auditLog, processHost, stopOnSignals } from './process.ts'
import type { Open, Serve, Start } from './runtime.ts'

/** Only Workers have Durable Objects; the entry exports the name on every runtime. */
export const Ledger: undefined = undefined

const log = auditLog(writeToStdout)

export const open: Open = (createServer) => createServer(processHost(process.env, { log }))

export const serve: Serve = async (createServer) => void (await start(createServer, true))

export const start: Start = async (createServer, isMain) => {
  const server = await open(createServer)
  const fetch = (request: Request, { incoming }: Http2Bindings | HttpBindings): Response | Promise<Response> =>
    hasValidHost(incoming.rawHeaders)
      ? server.app.fetch(request, { peer: () => incoming.socket.remoteAddress })
      : refuseHost()
  // Node emits an error event if the console is closed, and ends the process if nothing listens for it.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
  if (isMain) {
    const options = listenOptions(server, process.env)
    const listener = listen({ fetch, ...options }, ({ port, address }) => announce(server, port, address))
    listener.once('error', (error) => refuseToListen(error, options))
    stopOnSignals(log, () => new Promise((resolve) => listener.close(resolve)))
  }
  return { fetch }
}

/**
 * Returns whether there is at most one Host and it is valid. Node keeps the first of two, and the adapter replaces an empty one.
 *
 * @param rawHeaders alternating names and values, as received
 */
function hasValidHost(rawHeaders: readonly string[]): boolean {
  let hosts = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    const isHostField = name.length === 4 && name.toLowerCase() === 'host'
    if (isHostField && (++hosts > 1 || !isHost(rawHeaders[index + 1] ?? ''))) return false
  }
  return true
}

/** Reports when the text is written, because Node buffers without a limit what a pipe does not accept at once. */
function writeToStdout(text: string): Promise<void> | undefined {
  const { stdout } = process
  const written = new Promise<void>((resolve) => stdout.write(text, () => resolve()))
  return stdout.writableLength === 0 ? undefined : written
}
