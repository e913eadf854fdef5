/** Bun: serves a default export by itself, with the port that stands there. */

import process from 'node:process'
import { isHost, refuseHost } from './host_header.ts'
import { announce, listenOptions, processHost, STOP_SIGNALS } from './process.ts'
import type { Start } from './runtime.ts'

/** What is used of the second argument of a handler. */
interface BunServer {
  requestIP(request: Request): { readonly address: string } | null
}

/** Only Workers have Durable Objects; the entry exports the name on every runtime. */
export const Ledger: undefined = undefined

export const start: Start = async (createServer, isMain) => {
  const server = await createServer(processHost(process.env))
  const options = listenOptions(server, process.env)
  if (isMain) {
    announce(server, options.port)
    for (const signal of STOP_SIGNALS) process.once(signal, () => process.exit())
  }
  // Without this, Bun answers an unforeseen exception with its source code.
  const quiet = { development: false }
  return {
    fetch: (request: Request, bun: BunServer) =>
      // Bun itself refuses a request without a Host.
      isHost(request.headers.get('Host') ?? '')
        ? server.app.fetch(request, { peer: () => bun.requestIP(request)?.address })
        : refuseHost(),
    ...options,
    ...quiet,
  }
}
