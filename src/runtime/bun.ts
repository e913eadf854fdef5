/** Bun serves a default export itself, on the port that the export names. */

import process from 'node:process'
import { isHost, refuseHost } from './host_header.ts'
import type { Put } from './line_writer.ts'
import { announce, auditLog, listenOptions, processHost, stopOnSignals } from './process.ts'
import type { Start } from './runtime.ts'

/** The part of a handler's second argument that is used. */
interface BunServer {
  requestIP(request: Request): { readonly address: string } | null
  /** Resolves when all pending requests are answered. */
  stop(): Promise<void>
}

/** The part of Bun's namespace that is used. */
declare const Bun: {
  readonly stdout: { writer(): { write(text: string): unknown; flush(): number | Promise<number> } }
}

/** Only Workers have Durable Objects; the entry exports the name on every runtime. */
export const Ledger: undefined = undefined

export const start: Start = async (createServer, isMain) => {
  const log = auditLog(writeToStdout())
  const server = await createServer(processHost(process.env, { log }))
  const options = listenOptions(server, process.env)
  // Bun creates the server from the default export and passes it to the handler only.
  let serving: BunServer | undefined
  if (isMain) {
    announce(server, options.port)
    stopOnSignals(log, async () => serving?.stop())
  }
  // Without this, Bun's response to an uncaught exception contains source code.
  const quiet = { development: false }
  return {
    fetch: (request: Request, bun: BunServer) => {
      serving = bun
      // Without a Host, which HTTP/1.0 permits, Bun does not make a URL that contains the path.
      if (!isHost(request.headers.get('Host') ?? '')) return refuseHost()
      return server.app.fetch(request, { peer: () => bun.requestIP(request)?.address })
    },
    ...options,
    ...quiet,
  }
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
