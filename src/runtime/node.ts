/** Node: one adapter serves the Fetch handler. */

import process from 'node:process'
import { serve } from '@hono/node-server'
import { announce, listenOptions, processHost } from './process.ts'
import type { Start } from './runtime.ts'

/** Only Workers have Durable Objects; the entry exports the name on every runtime. */
export const Ledger: undefined = undefined

export const start: Start = async (createServer, isMain) => {
  const server = await createServer(processHost(process.env))
  const fetch = (request: Request): Response | Promise<Response> => server.app.fetch(request)
  if (isMain) serve({ fetch, ...listenOptions(server, process.env) }, ({ port }) => announce(server, port))
  return { fetch }
}
