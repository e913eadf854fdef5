/** The end of a process: pending requests are answered, and the log is written. */

import { constants } from 'node:os'
import process from 'node:process'
import { setTimeout } from 'node:timers'
import type { LineWriter } from './line_writer.ts'
import { whenNpmEnds } from './parent.ts'
import type { Environment, Served } from './runtime.ts'

const STOP_SIGNALS = ['SIGTERM', 'SIGINT'] as const

/** How long pending requests may take after a signal. Container runtimes kill a process after 10 to 30 seconds. */
const STOP_SECONDS = 9

/**
 * How long clients are asked to close their connections before the server does: until no request has been under way for a
 * moment, within these limits.
 */
const LEAST_DRAIN_MILLISECONDS = 250
const MOST_DRAIN_MILLISECONDS = 2000
const QUIET_MILLISECONDS = 250

/** How long requests wait before the listener stops. */
const HOLD_MILLISECONDS = 50

/** npm passes on the signal that a terminal sends to all processes anyway, so one Ctrl+C may arrive twice. */
const ECHO_MILLISECONDS = 500

/**
 * Ends the process after a signal, once `finish` has settled and the log is written, but at the latest after 9 seconds. The
 * same signal again, half a second later or more, ends it at once, with the exit code of a shell for that signal.
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
    setTimeout(() => {
      // Not the default action of the signal, because process 1 of a container has none.
      process.on(signal, () => process.exit(128 + constants.signals[signal]))
      process.off(signal, onSignal)
    }, ECHO_MILLISECONDS).unref()
    void stop()
  }
  for (const signal of STOP_SIGNALS) process.on(signal, onSignal)
  whenNpmEnds(environment, () => process.kill(process.pid, 'SIGTERM'))
}

/** An app that can be asked to end. */
interface Drainable {
  readonly app: Served
  /**
   * Asks clients to close their connections, then calls `stop`, which makes the listener accept no more connections, and
   * answers the requests that arrive meanwhile. Settles as `stop` does.
   */
  drain(stop: () => Promise<unknown>): Promise<unknown>
}

/**
 * Returns the app with a function that ends it without losing a request. Each response after that call asks the client to close
 * the connection, also the response to a request that was under way: otherwise a client may send its next request while the
 * server closes the connection, and has to assume that the request was lost. Connections that are not accepted when the
 * listener stops are lost, too. So requests have to wait shortly before: their clients open no more connections meanwhile.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9112#section-9.6 RFC 9112 §9.6}
 */
export function drainable({ fetch }: Served): Drainable {
  let isDraining = false
  let begun = 0
  let underWay = 0
  let held: Promise<unknown> | undefined
  const serve: Served['fetch'] = async (...request) => {
    begun++
    underWay++
    try {
      if (held !== undefined) await held
      const response = await fetch(...request)
      return isDraining ? closing(response) : response
    } finally {
      underWay--
    }
  }
  const untilQuiet = async (): Promise<void> => {
    let before: number
    let waited = LEAST_DRAIN_MILLISECONDS - QUIET_MILLISECONDS
    await pause(waited)
    do {
      before = begun
      await pause(QUIET_MILLISECONDS)
      waited += QUIET_MILLISECONDS
    } while ((underWay > 0 || begun > before) && waited < MOST_DRAIN_MILLISECONDS)
  }
  const drain = async (stop: () => Promise<unknown>): Promise<unknown> => {
    isDraining = true
    await untilQuiet()
    const stopped = pause(HOLD_MILLISECONDS).then(() => ({ done: stop() }))
    held = stopped
    return (await stopped).done
  }
  return { app: { fetch: serve }, drain }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

function closing({ body, status, headers }: Response): Response {
  const response = new Response(body, { status, headers })
  response.headers.set('Connection', 'close')
  return response
}
