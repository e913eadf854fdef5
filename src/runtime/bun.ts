/** Bun: serves a default export by itself, with the port that stands there. */

import process from 'node:process'
import { isHost, refuseHost } from './host_header.ts'
import type { Put } from './line_writer.ts'
import { announce, auditLog, listenOptions, processHost, stopOnSignals } from './process.ts'
import type { Start } from './runtime.ts'

/** What is used of the second argument of a handler. */
interface BunServer {
  requestIP(request: Request): { readonly address: string } | null
  /** Resolves when the requests under way are answered. */
  stop(): Promise<void>
}

/** What is used of Bun's namespace. */
declare const Bun: {
  readonly stdout: { writer(): { write(text: string): unknown; flush(): number | Promise<number> } }
}

/** Only Workers have Durable Objects; the entry exports the name on every runtime. */
export const Ledger: undefined = undefined

export const start: Start = async (createServer, isMain) => {
  const log = auditLog(writeToStdout())
  const server = await createServer(processHost(process.env, { log }))
  const options = listenOptions(server, process.env)
  // Bun passes the server that it makes of the default export to each request only.
  let serving: BunServer | undefined
  if (isMain) {
    announce(server, options.port)
    stopOnSignals(log, async () => serving?.stop())
  }
  // Without this, Bun answers an unforeseen exception with its source code.
  const quiet = { development: false }
  return {
    fetch: (request: Request, bun: BunServer) => {
      serving = bun
      // Without a Host, which HTTP/1.0 permits, Bun makes no URL to find the path in.
      if (!isHost(request.headers.get('Host') ?? '')) return refuseHost()
      return server.app.fetch(request, { peer: () => bun.requestIP(request)?.address })
    },
    ...options,
    ...quiet,
  }
}

/** `console.log` waits until a pipe takes the line, and stops everything meanwhile. */
function writeToStdout(): Put {
  const sink = Bun.stdout.writer()
  return (text) => {
    sink.write(text)
    const flushed = sink.flush()
    return typeof flushed === 'number' ? undefined : flushed
  }
}
