/** `GET /livez`, `GET /readyz` and `GET /health`: whether the process runs, and whether it can issue tokens. */

import { Hono } from 'hono'
import type { Connection } from '../certificates/client_cert.ts'
import { respondWith, securityHeaders } from '../http/respond.ts'
import type { Keyring } from '../keys/keyring.ts'
import type { Ledger } from '../stores/contracts.ts'
import type { App, Endpoint, Site } from './endpoint.ts'
import type { NamedSchema, Operations } from './operation.ts'

/** Time for which the answer of the ledger is kept, so that frequent probes cost no work. */
const KEPT_SECONDS = 5

/** No mark has this key. */
const PROBE_KEY = 'probe'

const HEADERS = { ...securityHeaders, 'Content-Type': 'text/plain;charset=UTF-8', 'Cache-Control': 'no-store' }

/** What the readiness of the server depends on. */
export interface ReadinessOptions {
  readonly keyring: Keyring
  /** Guarded by `guardStores`. Without it, it is not part of the readiness. */
  readonly ledger?: Ledger | undefined
}

/** What the server needs to issue tokens. */
export interface Readiness<E = unknown> {
  /** Whether a key signs. */
  readonly isSigning: boolean
  /** Why the ledger does not answer; undefined while it does. */
  readonly ledgerError: E | undefined
}

/** Asks the ledger for an entry that it need not have. Returns the error if it fails. */
export function findLedgerError(ledger: Ledger): Promise<unknown> {
  return ledger.get(PROBE_KEY).then(
    () => undefined,
    (reason: unknown) => reason ?? new Error('unknown failure'),
  )
}

/**
 * Returns whether the server can issue tokens. That needs no registry: while it fails, clients that were read before are still
 * served, and a fleet must not leave its balancer together.
 *
 * @param findError returns why the ledger does not answer
 * @param now epoch seconds
 */
export async function readReadiness(
  keyring: Keyring,
  findError: (now: number) => Promise<unknown>,
  now: number,
): Promise<Readiness> {
  return { isSigning: await canSign(keyring, now), ledgerError: await findError(now) }
}

/** Keys that cannot be read do not sign either. */
async function canSign(keyring: Keyring, now: number): Promise<boolean> {
  try {
    return (await keyring.at(now)).signing() !== undefined
  } catch {
    return false
  }
}

/** Returns the answer to a probe of liveness: the process runs. */
export function alive(): Response {
  return respondWith('ok\n', HEADERS)
}

/** Returns whether each part that the server needs to issue tokens is there, by name, at an instant in epoch seconds. */
export type CheckReadiness = (now: number) => Promise<Readonly<Record<string, boolean>>>

/** Returns what an operator should look at although the server can issue tokens. */
export type FindWarnings = (now: number) => Promise<readonly string[]>

/** Returns the check of readiness. The ledger is asked at most every five seconds, once for all callers. */
export function readiness({ keyring, ledger }: ReadinessOptions): CheckReadiness {
  const findError = ledgerProbe(ledger)
  return async (now) => {
    const { isSigning, ledgerError } = await readReadiness(keyring, findError, now)
    return { signing_key: isSigning, ledger: ledgerError === undefined }
  }
}

/** Returns the endpoints for probes. Liveness needs nothing but the process. */
export function healthEndpoints(
  checkReadiness: CheckReadiness,
  findWarnings: FindWarnings = async () => [],
): readonly Endpoint[] {
  const ready = (site: Site): App =>
    new Hono<{ Bindings: Connection }>().get('/', async (c) => {
      const now = site.now()
      const checks = await checkReadiness(now)
      return report(checks, c.req.query('verbose') === undefined ? undefined : await findWarnings(now))
    })
  const [livez, readyz, health] = ['/livez', '/readyz', '/health'] as const
  return [
    {
      path: livez,
      operations: operationOf(livez, 'isAlive', 'Reports whether the server runs', []),
      routes: () => new Hono<{ Bindings: Connection }>().get('/', alive),
    },
    {
      path: readyz,
      operations: operationOf(readyz, 'isReady', 'Reports whether the server can issue tokens', [503]),
      routes: ready,
    },
    {
      path: health,
      operations: operationOf(health, 'isHealthy', 'The same as /readyz', [503]),
      routes: ready,
    },
  ]
}

/** Returns a function that asks the ledger at most every five seconds, once for all callers. */
function ledgerProbe(ledger: Ledger | undefined): (now: number) => Promise<unknown> {
  let latest: { readonly at: number; readonly error: Promise<unknown> } | undefined
  return async (now) => {
    if (ledger === undefined) return undefined
    if (latest === undefined || now < latest.at || now >= latest.at + KEPT_SECONDS)
      latest = { at: now, error: findLedgerError(ledger) }
    return latest.error
  }
}

/** Returns whether all checks are good. */
export function isReadyBy(checks: Readonly<Record<string, boolean>>): boolean {
  return Object.values(checks).every(Boolean)
}

/** @param warnings what `?verbose` shows besides the checks; undefined without it */
function report(checks: Readonly<Record<string, boolean>>, warnings: readonly string[] | undefined): Response {
  const isReady = isReadyBy(checks)
  const lines = Object.entries(checks).map(([name, isGood]) => `${isGood ? '[+]' : '[-]'}${name} ${word(isGood)}`)
  const text =
    warnings === undefined
      ? word(isReady)
      : [...lines, ...warnings.map((warning) => `[!]${warning}`), word(isReady)].join('\n')
  return respondWith(`${text}\n`, HEADERS, isReady ? 200 : 503)
}

/** Returns the word for the result of a check. */
export function word(isGood: boolean): string {
  return isGood ? 'ok' : 'failed'
}

const STATE: NamedSchema = { name: 'Health', schema: { type: 'string' } }

function operationOf(path: string, operationId: string, summary: string, errors: readonly number[]): Operations {
  const query = errors.length > 0 ? { query: { verbose: { description: 'One line for each check' } } } : {}
  const answers = { 200: { type: 'text/plain', schema: STATE } }
  return { [path]: { get: { operationId, tag: 'Health', summary, ...query, answers, errors, example: 'ok\n' } } }
}
