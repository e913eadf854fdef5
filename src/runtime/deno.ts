/** Deno: `deno serve` serves the default export, in every thread of `--parallel`; plain `deno run` does not. */

import { announce, listenOptions, processHost } from './process.ts'
import type { Handler, Start } from './runtime.ts'

interface Address {
  readonly port: number
}

/** What is used of Deno's namespace. */
declare const Deno: {
  unrefTimer(timer: ReturnType<typeof setTimeout>): void
  readonly env: { toObject(): Record<string, string> }
  serve(
    options: { port: number; hostname?: string; onListen(address: Address): void },
    handler: Handler['fetch'],
  ): unknown
}

const START_MILLISECONDS = 1000

export const start: Start = async (createServer, isMain) => {
  const environment = Deno.env.toObject()
  const server = await createServer(processHost(environment))
  const handler = {
    fetch: (request: Request): Response | Promise<Response> => server.app.fetch(request),
    onListen: ({ port }: Address): void => announce(server, port),
  }
  // Nothing tells the two commands apart (`import.meta.main` is true under both) but this: under `deno serve` a listening
  // server keeps the event loop busy, under `deno run` the loop runs dry once the entry is evaluated.
  const serve = (): unknown =>
    Deno.serve({ ...listenOptions(server, environment), onListen: handler.onListen }, handler.fetch)
  if (isMain) {
    addEventListener('beforeunload', serve, { once: true })
    // The loop of a server that is told to stop runs dry as well, so the question is put at the start only.
    Deno.unrefTimer(setTimeout(() => removeEventListener('beforeunload', serve), START_MILLISECONDS))
  }
  return handler
}
