/** The end of a process: pending requests are answered, and the log is written. */

import process from 'node:process'
import { setInterval, setTimeout } from 'node:timers'
import type { LineWriter } from './line_writer.ts'
import type { Environment, Served } from './runtime.ts'

const STOP_SIGNALS = ['SIGTERM', 'SIGINT'] as const

/** How long pending requests may take after a signal. Container runtimes kill a process after 10 to 30 seconds. */
const STOP_SECONDS = 9

/** How long clients are asked to close their connections before the server does. */
const DRAIN_MILLISECONDS = 250

/** npm passes on the signal that a terminal sends to all processes anyway, so one Ctrl+C may arrive twice. */
const ECHO_MILLISECONDS = 500

const PARENT_POLL_MILLISECONDS = 250

/**
 * Ends the process after a signal, once `finish` has settled and the log is written, but at the latest after 9 seconds. The
 * same signal again, half a second later or more, ends it at once.
 */
export function stopOnSignals(log: LineWriter, environment: Environment, finish: () => Promise<unknown>): void {
  let isStopping = false
  const stop = async (): Promise<void> => {
    if (isStopping) return
    isStopping = true
    setTimeout(() => process.exit(), STOP_SECONDS * 1000).unref()
    await Promise.allSettled([finish()])
    await log.written()
    process.exit()
  }
  const onSignal = (signal: (typeof STOP_SIGNALS)[number]): void => {
    setTimeout(() => process.off(signal, onSignal), ECHO_MILLISECONDS).unref()
    void stop()
  }
  for (const signal of STOP_SIGNALS) process.on(signal, onSignal)
  if (environment['npm_lifecycle_event'] !== undefined) whenParentEnds(() => process.kill(process.pid, 'SIGTERM'))
}

/**
 * Returns the app and a function that prepares its end: each further response asks the client to close the connection. Without
 * this, a client may send its next request while the server closes the connection, and has to assume that the request was lost.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9112#section-9.6 RFC 9112 §9.6}
 */
export function drainable({ fetch }: Served): { readonly app: Served; drain(): Promise<void> } {
  const app = { fetch }
  const drain = async (): Promise<void> => {
    app.fetch = async (...request) => closing(await fetch(...request))
    await new Promise<void>((resolve) => setTimeout(resolve, DRAIN_MILLISECONDS))
  }
  return { app, drain }
}

function closing({ body, status, headers }: Response): Response {
  const response = new Response(body, { status, headers })
  response.headers.set('Connection', 'close')
  return response
}

/**
 * Calls back when the parent process ends. npm and npx run a command in a shell and send SIGTERM to the shell only, which ends
 * without the command. The change of the parent is the only sign that the command has to stop.
 */
function whenParentEnds(callback: () => void): void {
  const parent = process.ppid
  const poll = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(poll)
    callback()
  }, PARENT_POLL_MILLISECONDS).unref()
}
