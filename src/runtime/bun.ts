/** Bun: `Bun.serve` serves the Fetch handler. */

import process from 'node:process'
import { isHost, refuseHost } from './host_header.ts'
import type { Put } from './line_writer.ts'
import type { Handler, ProcessRuntime, Served, Start } from './runtime.ts'
import { listen, open } from './serve.ts'

/** The part of Bun's server that is used. */
interface BunServer {
  readonly address: { readonly address: string; readonly port: number }
  requestIP(request: Request): { readonly address: string } | null
  readonly pendingRequests: number
  /** Accepts no more connections. Resolves when all connections are closed, which `true` does at once. */
  stop(closeConnections?: boolean): Promise<void>
}

/** The part of Bun's namespace that is used. */
declare const Bun: {
  readonly stdout: { writer(): { write(text: string): unknown; flush(): number | Promise<number> } }
  serve(options: Handler & { port: number; hostname?: string; reusePort: boolean; development: boolean }): BunServer
}

/** Time after which a stopping server without pending requests closes its connections. */
const IDLE_MILLISECONDS = 100

/** Only Workers have Durable Objects; the entry exports the name on every runtime. */
export const Ledger: undefined = undefined

export const runtime: ProcessRuntime = {
  openOutput: writeToStdout,
  async listen(app, address) {
    const options = {
      // Otherwise two processes may share the port, and each would answer every second request.
      reusePort: false,
      // Otherwise the response to an uncaught exception contains source code.
      development: false,
    }
    const server = Bun.serve({ ...handlerOf(app), ...address, ...options })
    return { hostname: server.address.address, port: server.address.port, stop: () => stop(server) }
  },
}

export const start: Start = async (createServer, isMain) => {
  const opened = await open(runtime, createServer, process.env)
  const handler = handlerOf(opened.server.app)
  if (!isMain) return handler
  await listen(runtime, opened)
  // Bun would serve the default export of the main module a second time; it takes what has a `stop` for a running server.
  return { ...handler, stop: () => undefined }
}

function handlerOf(app: Served): Handler {
  return {
    fetch(request: Request, server: BunServer) {
      // Without a Host, which HTTP/1.0 permits, Bun does not make a URL that contains the path.
      if (!isHost(request.headers.get('Host') ?? '')) return refuseHost()
      return app.fetch(request, { peer: () => server.requestIP(request)?.address })
    },
  }
}

/** Bun waits for connections on which a request has begun but is not pending yet. They are closed when none is pending. */
async function stop(server: BunServer): Promise<void> {
  const stopped = server.stop()
  let wasIdle = false
  const poll = setInterval(() => {
    if (wasIdle && server.pendingRequests === 0) void server.stop(true)
    wasIdle = server.pendingRequests === 0
  }, IDLE_MILLISECONDS)
  await stopped
  clearInterval(poll)
}

/** Not `console.log`, which blocks the process until a pipe accepts the line. */
function writeToStdout(): Put {
  const sink = Bun.stdout.writer()
  return (text) => {
    sink.write(text)
    const flushed = sink.flush()
    return typeof flushed === 'number' ? undefined : flushed
  }
}
