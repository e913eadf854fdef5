/** Node: an adapter of Hono serves the Fetch handler. */

import { once } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import process from 'node:process'
import { createAdaptorServer, type Http2Bindings, type HttpBindings } from '@hono/node-server'
import { isHost, refuseHost } from './host_header.ts'
import type { Handler, ProcessRuntime, Served, Start } from './runtime.ts'
import { listen, open } from './serve.ts'

/** Time after which a stopping server without pending requests closes its connections. */
const IDLE_MILLISECONDS = 100

/** Only Workers have Durable Objects; the entry exports the name on every runtime. */
export const Ledger: undefined = undefined

export const runtime: ProcessRuntime = {
  openOutput: () => writeToStdout,
  async listen(app, { port, hostname }) {
    // Node emits an error event if the console is closed, and ends the process if nothing listens for it or a listener throws.
    for (const stream of [process.stdout, process.stderr])
      stream.removeAllListeners('error').on('error', () => undefined)
    const listener = createAdaptorServer(handlerOf(app)) as Server
    await once(listener.listen(port, hostname), 'listening')
    const bound = listener.address() as AddressInfo
    return { hostname: bound.address, port: bound.port, stop: stopper(listener) }
  },
}

export const start: Start = async (createServer, isMain) => {
  const opened = await open(runtime, createServer, process.env)
  if (isMain) await listen(runtime, opened)
  return handlerOf(opened.server.app)
}

/**
 * Returns the function that stops a server. Node waits for each connection on which no request has been sent, and for each that
 * becomes idle after the call. So once no request is pending, all connections are closed.
 */
function stopper(listener: Server): () => Promise<unknown> {
  // A listener for the end of each response would cost each request more than this.
  const latest = new Map<Socket, ServerResponse>()
  listener.prependListener('connection', (socket: Socket) => socket.once('close', () => latest.delete(socket)))
  listener.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    latest.set(socket, response)
  })
  // Node sends the responses of a connection in the order of its requests.
  const isPending = (): boolean => [...latest.values()].some((response) => !response.writableFinished)
  return () => {
    let wasIdle = false
    setInterval(() => {
      const isIdle = !isPending()
      if (wasIdle && isIdle) listener.closeAllConnections()
      wasIdle = isIdle
    }, IDLE_MILLISECONDS).unref()
    return new Promise((resolve) => listener.close(resolve))
  }
}

interface NodeHandler extends Handler {
  fetch(request: Request, bindings: Http2Bindings | HttpBindings): Response | Promise<Response>
}

function handlerOf(app: Served): NodeHandler {
  return {
    fetch: (request, { incoming }) =>
      hasValidHost(incoming.rawHeaders)
        ? app.fetch(request, { peer: () => incoming.socket.remoteAddress })
        : refuseHost(),
  }
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
