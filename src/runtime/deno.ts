/** Deno: `deno serve` serves the default export, in every thread of `--parallel`; `deno run` does not. */

import type { Stores } from '../stores/contracts.ts'
import { type DenoKv, denoKvStores } from '../stores/deno_kv.ts'
import { createPrivately } from '../stores/private_file.ts'
import { isHost, refuseHost } from './host_header.ts'
import { announce, listenOptions, refuseToListen } from './listen.ts'
import { auditLog, now, processHost, stopOnSignals, warn } from './process.ts'
import type { Open, Serve, Start } from './runtime.ts'

interface Address {
  readonly hostname: string
  readonly port: number
}

interface Info {
  readonly remoteAddr: { readonly hostname: string }
}

/** The part of Deno's namespace that is used. */
declare const Deno: {
  /** Present only with `--unstable-kv`. */
  readonly openKv?: (path?: string) => Promise<DenoKv>
  unrefTimer(timer: ReturnType<typeof setTimeout>): void
  readonly env: { toObject(): Record<string, string> }
  readonly stdout: { write(octets: Uint8Array): Promise<number> }
  serve(
    options: { port: number; hostname?: string; onListen(address: Address): void },
    handler: (request: Request, info: Info) => Response | Promise<Response>,
  ): DenoServer
  readonly errors: { readonly Http: new () => Error }
}

interface DenoServer {
  /** Resolves when all pending requests are answered. */
  shutdown(): Promise<void>
}

const START_MILLISECONDS = 1000

/** HTTP/1.0 and HTTP/2 do not require a Host. HTTP/1.1 does, but Deno does not report the version of a request. */
const NO_HOST = 'localhost'

/** Pause between the end of a server and the start of the next. */
const PAUSE_MILLISECONDS = 1000

const encoder = new TextEncoder()

/** Only Workers have Durable Objects; the entry exports the name on every runtime. */
export const Ledger: undefined = undefined

const log = auditLog(writeToStdout)

export const open: Open = (createServer) =>
  createServer(processHost(Deno.env.toObject(), { backends: { denokv: openDenoKv }, log }))

export const serve: Serve = async (createServer) => void (await start(createServer, true))

export const start: Start = async (createServer, isMain) => {
  const server = await open(createServer)
  let ours: DenoServer | undefined
  const handler = {
    // `deno serve` chooses the address to listen on, so development mode has to check the peer of each request.
    fetch: (request: Request, info: Info): Response | Promise<Response> =>
      isHost(request.headers.get('Host') ?? NO_HOST)
        ? server.app.fetch(request, { peer: () => info.remoteAddr.hostname })
        : refuseHost(),
    onListen(address: Address): void {
      removeEventListener('beforeunload', listen)
      announce(server, address.port, address.hostname)
      serveAgainAfterFailure((onListen) => {
        ours = Deno.serve({ ...address, onListen }, handler.fetch)
      })
    },
  }
  // Only this distinguishes the two commands (`import.meta.main` is true for both): under `deno serve` a listening
  // server keeps the event loop alive, under `deno run` the loop is empty once the entry is evaluated.
  function listen(): void {
    const options = listenOptions(server, Deno.env.toObject())
    try {
      ours = Deno.serve({ ...options, onListen: handler.onListen }, handler.fetch)
    } catch (error) {
      refuseToListen(error, options)
    }
  }
  if (isMain) {
    addEventListener('beforeunload', listen, { once: true })
    // The event loop of a stopping server becomes empty too, so this is checked only during the start.
    Deno.unrefTimer(setTimeout(() => removeEventListener('beforeunload', listen), START_MILLISECONDS))
    stopOnSignals(log, () => {
      removeEventListener('beforeunload', listen)
      // `deno serve` shuts its own server down, without a limit, and then ends the process.
      return ours?.shutdown() ?? new Promise(() => undefined)
    })
  }
  return handler
}

/**
 * Starts a new server after one failed to accept a connection because the process had no file handles left: Deno ends such a
 * server, and the process with it. Accepted connections are served meanwhile.
 */
function serveAgainAfterFailure(serve: (onListen: () => void) => void): void {
  const tryAgain = (): void => {
    try {
      serve(() => undefined)
    } catch {
      setTimeout(tryAgain, PAUSE_MILLISECONDS)
    }
  }
  addEventListener('unhandledrejection', (event) => {
    const { reason } = event as Event & { readonly reason: unknown }
    if (!(reason instanceof Deno.errors.Http && reason.message.includes('Too many open files'))) return
    event.preventDefault()
    warn('edgemint: too many open files; no connections are accepted for one second')
    setTimeout(tryAgain, PAUSE_MILLISECONDS)
  })
}

/** Not `writeSync`, which blocks the process until a pipe accepts the line. */
async function writeToStdout(text: string): Promise<void> {
  let octets = encoder.encode(text)
  while (octets.length > 0) octets = octets.subarray(await Deno.stdout.write(octets))
}

/** Opens the database of the URL's path or, without a path, that of the deployment. */
async function openDenoKv(url: string): Promise<Stores> {
  const { openKv } = Deno
  if (openKv === undefined) throw new TypeError('needs `deno run --unstable-kv`')
  const path = url.slice('denokv:'.length) || undefined
  if (path !== undefined) createPrivately(path)
  return denoKvStores(() => openKv(path), now)
}
