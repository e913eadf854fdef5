/** Deno: `deno serve` serves the default export, in every thread of `--parallel`; plain `deno run` does not. */

import type { Stores } from '../stores/contracts.ts'
import { type DenoKv, denoKvStores } from '../stores/deno_kv.ts'
import { createPrivately } from '../stores/private_file.ts'
import { isHost, refuseHost } from './host_header.ts'
import { announce, listenOptions, now, processHost } from './process.ts'
import type { Start } from './runtime.ts'

interface Address {
  readonly port: number
}

interface Info {
  readonly remoteAddr: { readonly hostname: string }
}

/** What is used of Deno's namespace. */
declare const Deno: {
  /** Only there with `--unstable-kv`. */
  readonly openKv?: (path?: string) => Promise<DenoKv>
  unrefTimer(timer: ReturnType<typeof setTimeout>): void
  readonly env: { toObject(): Record<string, string> }
  readonly stdout: { writeSync(octets: Uint8Array): number }
  serve(
    options: { port: number; hostname?: string; onListen(address: Address): void },
    handler: (request: Request, info: Info) => Response | Promise<Response>,
  ): unknown
}

const START_MILLISECONDS = 1000

/** HTTP/1.0 and HTTP/2 need no Host. HTTP/1.1 does, but Deno does not say which of them a request is. */
const NO_HOST = 'localhost'

const encoder = new TextEncoder()

/** Only Workers have Durable Objects; the entry exports the name on every runtime. */
export const Ledger: undefined = undefined

export const start: Start = async (createServer, isMain) => {
  const environment = Deno.env.toObject()
  const server = await createServer(processHost(environment, { backends: { denokv: openDenoKv }, write }))
  const handler = {
    // `deno serve` listens where it is told to, so that development has to look who is there.
    fetch: (request: Request, info: Info): Response | Promise<Response> =>
      isHost(request.headers.get('Host') ?? NO_HOST)
        ? server.app.fetch(request, { peer: () => info.remoteAddr.hostname })
        : refuseHost(),
    onListen({ port }: Address): void {
      removeEventListener('beforeunload', serve)
      announce(server, port)
    },
  }
  // Nothing tells the two commands apart (`import.meta.main` is true under both) but this: under `deno serve` a listening
  // server keeps the event loop busy, under `deno run` the loop runs dry once the entry is evaluated.
  function serve(): void {
    Deno.serve({ ...listenOptions(server, environment), onListen: handler.onListen }, handler.fetch)
  }
  if (isMain) {
    addEventListener('beforeunload', serve, { once: true })
    // The loop of a server that is told to stop runs dry as well, so the question is put at the start only.
    Deno.unrefTimer(setTimeout(() => removeEventListener('beforeunload', serve), START_MILLISECONDS))
  }
  return handler
}

/** What `console.log` does to a line costs more here than the signature of a token. */
function write(line: string): void {
  let octets = encoder.encode(`${line}\n`)
  while (octets.length > 0) octets = octets.subarray(Deno.stdout.writeSync(octets))
}

/** Without a path it is the database of the deployment. */
async function openDenoKv(url: string): Promise<Stores> {
  const { openKv } = Deno
  if (openKv === undefined) throw new TypeError('needs `deno run --unstable-kv`')
  const path = url.slice('denokv:'.length) || undefined
  if (path !== undefined) createPrivately(path)
  return denoKvStores(() => openKv(path), now)
}
