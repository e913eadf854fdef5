/** Bun serves a default export itself, on the port that the export names. */

import { once } from 'node:events'
import { createServer as createProbe } from 'node:net'
import process from 'node:process'
import { isHost, refuseHost } from './host_header.ts'
import type { Put } from './line_writer.ts'
import { announce, type Listen, listenOptions, refuseToListen } from './listen.ts'
import { auditLog, processHost, stopOnSignals } from './process.ts'
import type { Open, Serve, Start } from './runtime.ts'

/** The part of a server that is used. It is also a handler's second argument. */
interface BunServer {
  requestIP(request: Request): { readonly address: string } | null
  /** Resolves when all pending requests are answered. */
  stop(): Promise<void>
}

interface BunOptions {
  readonly port: number
  readonly hostname?: string
  readonly development: boolean
  fetch(request: Request, server: BunServer): Response | Promise<Response>
}

/** The part of Bun's namespace that is used. */
declare const Bun: {
  serve(options: BunOptions): BunServer
  readonly stdout: { writer(): { write(text: string): unknown; flush(): number | Promise<number> } }
}

/** Only Workers have Durable Objects; the entry exports the name on every runtime. */
export const Ledger: undefined = undefined

const log = auditLog(writeToStdout())

export const open: Open = (createServer) => createServer(processHost(process.env, { log }))

export const serve: Serve = async (createServer) => {
  const handler = (await start(createServer, true)) as BunOptions
  try {
    Bun.serve(handler)
  } catch (error) {
    refuseToListen(error, handler)
  }
}

export const start: Start = async (createServer, isMain) => {
  const server = await open(createServer)
  const options = listenOptions(server, process.env)
  // Bun creates the server from the default export and passes it to the handler only.
  let serving: BunServer | undefined
  if (isMain) {
    await requireFree(options)
    announce(server, options.port, options.hostname ?? '0.0.0.0')
    stopOnSignals(log, async () => serving?.stop())
  }
  return {
    fetch: (request: Request, bun: BunServer) => {
      serving = bun
      // Without a Host, which HTTP/1.0 permits, Bun does not make a URL that contains the path.
      if (!isHost(request.headers.get('Host') ?? '')) return refuseHost()
      return server.app.fetch(request, { peer: () => bun.requestIP(request)?.address })
    },
    ...options,
    ...QUIET,
  }
}

/** Bun lets two processes serve a port, each some of the connections. */
async function requireFree(options: Listen): Promise<void> {
  const probe = createProbe()
  try {
    const listening = once(probe, 'listening')
    probe.listen({ port: options.port, host: options.hostname, exclusive: true })
    await listening
  } catch (error) {
    refuseToListen(error, options)
  }
  probe.close()
  await once(probe, 'close')
}

/** Without it, Bun's response to an uncaught exception contains source code. */
const QUIET = { development: false } as const

/** Not `console.log`, which blocks the process until a pipe accepts the line. */
function writeToStdout(): Put {
  const sink = Bun.stdout.writer()
  return (text) => {
    sink.write(text)
    const flushed = sink.flush()
    return typeof flushed === 'number' ? undefined : flushed
  }
}
