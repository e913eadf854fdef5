/** Deno: `deno serve` serves the default export, in every thread of `--parallel`; `deno run` does not. */

import process from 'node:process'
import type { Stores } from '../stores/contracts.ts'
import { type DenoKv, denoKvStores } from '../stores/deno_kv.ts'
import { createPrivately } from '../stores/private_file.ts'
import { isHost, refuseHost } from './host_header.ts'
import { warn } from './process.ts'
import type { Handler, ProcessRuntime, Served, Start } from './runtime.ts'
import { announce, listen, type Opened, open, rotateInTime } from './serve.ts'
import { stopOnSignals } from './stop.ts'

interface BoundAddress {
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
  serve(options: { port: number; hostname?: string; onListen(): void }, handler: DenoHandler['fetch']): DenoServer
  readonly errors: { readonly Http: new () => Error; readonly AddrInUse: new () => Error }
}

interface DenoHandler extends Handler {
  fetch(request: Request, info: Info): Response | Promise<Response>
}

interface DenoServer {
  readonly addr: BoundAddress
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

export const runtime: ProcessRuntime = {
  backends: { denokv: openDenoKv },
  openOutput: () => writeToStdout,
  async listen(app, address) {
    const { fetch } = handlerOf(app)
    let server = Deno.serve({ ...address, ...silent }, fetch)
    const bound = server.addr
    serveAgainAfterFailure(() => {
      server = Deno.serve({ ...bound, ...silent }, fetch)
    })
    return { ...bound, stop: () => server.shutdown() }
  },
}

/** Otherwise Deno prints a line of its own. */
const silent = { onListen: () => undefined }

export const start: Start = async (createServer, isMain) => {
  const opened = await open(runtime, createServer, Deno.env.toObject())
  const handler = handlerOf(opened.server.app)
  // Only this distinguishes the two commands (`import.meta.main` is true for both): under `deno serve` a listening
  // server keeps the event loop alive, under `deno run` the loop is empty once the entry is evaluated.
  const serveOurselves = (): void => void listen(runtime, opened)
  if (isMain) {
    addEventListener('unhandledrejection', exitIfPortIsTaken)
    addEventListener('beforeunload', serveOurselves, { once: true })
    // The event loop of a stopping server becomes empty too, so this is checked only during the start.
    Deno.unrefTimer(setTimeout(() => removeEventListener('beforeunload', serveOurselves), START_MILLISECONDS))
  }
  return {
    ...handler,
    onListen(address: BoundAddress): void {
      removeEventListener('beforeunload', serveOurselves)
      removeEventListener('unhandledrejection', exitIfPortIsTaken)
      afterDenoServe(opened, handler, address)
    },
  }
}

/** `deno serve` listens and stops by itself: what is left is the line, the limit after a signal, and a failed `accept`. */
function afterDenoServe({ server, log, environment }: Opened, { fetch }: DenoHandler, address: BoundAddress): void {
  let ours: DenoServer | undefined
  announce(server, address)
  rotateInTime(server)
  serveAgainAfterFailure(() => {
    ours = Deno.serve({ ...address, ...silent }, fetch)
  })
  // Deno ends the process when its own server has stopped, however long that takes.
  stopOnSignals(log, environment, () => ours?.shutdown() ?? new Promise(() => undefined))
}

/** Only here `deno serve` shows that it cannot listen. */
function exitIfPortIsTaken(event: Event): void {
  const { reason } = event as Event & { readonly reason: unknown }
  if (!(reason instanceof Deno.errors.AddrInUse)) return
  event.preventDefault()
  warn('edgemint: the port is in use by another process; set --port to another one')
  process.exit(1)
}

// `deno serve` chooses the address to listen on, so development mode has to check the peer of each request.
function handlerOf(app: Served): DenoHandler {
  return {
    fetch: (request, info) =>
      isHost(request.headers.get('Host') ?? NO_HOST)
        ? app.fetch(request, { peer: () => info.remoteAddr.hostname })
        : refuseHost(),
  }
}

/**
 * Starts a new server after one failed to accept a connection because the process had no file handles left: Deno ends such a
 * server, and the process with it. Accepted connections are served meanwhile.
 */
function serveAgainAfterFailure(serve: () => void): void {
  const tryAgain = (): void => {
    try {
      serve()
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
  return denoKvStores(() => openKv(path))
}
