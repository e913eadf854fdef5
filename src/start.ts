/** Creates the server from the settings and the host, or a server that answers 503 while the settings are invalid. */

import { Hono } from 'hono'
import { type Nonces, nonces } from './assertions/nonce.ts'
import { readConfig } from './config.ts'
import type { Config, Problem } from './config_types.ts'
import { requireLoopback, testForm, withTestClient } from './development.ts'
import type { App } from './endpoints/endpoint.ts'
import { alive, findLedgerError, type Readiness, readReadiness } from './endpoints/health.ts'
import { temporarilyUnavailable } from './errors.ts'
import { type AuditLog, auditLines } from './events/audit.ts'
import type { Emit } from './events/events.ts'
import { withRequestId } from './http/caller.ts'
import { observe } from './http/observe.ts'
import { jsonHeaders, refuse, respondWith } from './http/respond.ts'
import { openKeyServices } from './key_services.ts'
import { deriveHmacKey } from './keys/derived_key.ts'
import { isManaged } from './keys/stored_keyring.ts'
import { type KeyHost, openKeyring, readFixedKeys } from './open_keyring.ts'
import { createPreset } from './preset.ts'
import type { FeatureHost, Opened } from './preset_options.ts'
import { hashToken } from './secrets/hashes.ts'
import { settingWarnings } from './setting_warnings.ts'
import type { Stores } from './stores/contracts.ts'

const NOT_FOUND = JSON.stringify({ error: 'not_found', error_description: 'There is nothing at this path.' })

/** What a runtime prints when it serves with invalid settings. */
export const UNCONFIGURED_LINE = 'edgemint: every request is answered with 503 until then.'

/** What is printed for the operator, for programs. */
export interface Notice {
  readonly notice:
    | 'setting_suspicious'
    | 'setting_invalid'
    | 'not_configured'
    | 'listening'
    | 'development'
    | 'cannot_listen'
    | 'store_unreachable'
    | 'key_not_signing'
    | 'ready'
  /** A sentence without the name of the program. */
  readonly message: string
  readonly setting?: Problem['setting']
  /** The command that sets the setting. */
  readonly command?: string
  readonly url?: string
}

/** What a runtime provides to the server. */
export interface Host extends FeatureHost, KeyHost {
  /** Environment variables or bindings, settings among them. */
  readonly environment: Readonly<Record<string, unknown>>
  /** Opens the stores. Rejects if they cannot be opened; the message is printed to the console. */
  openStores(config: Config): Promise<Stores>
  /** Name of the setting that `openStores` depends on. */
  readonly storeSetting: Problem['setting']
  /** Returns the command that sets a setting on this runtime. */
  commandFor(setting: Problem['setting']): string
  /** Returns epoch seconds. Called during requests only: in the global scope of a Worker the clock is 0. */
  now(): number
  /** Returns epoch seconds with milliseconds as a fraction, for the log; defaults to `now`. */
  preciseNow?(): number
  /** Writes a line to the audit log. */
  write(line: string): void
  /** Prints for the operator: the line, or where programs read it, the notice. */
  warn(line: string, notice: Notice): void
}

export interface Server {
  /** Its `fetch` accepts the connection as second argument, where the runtime knows it. */
  readonly app: App
  /** Undefined if the settings are invalid; the app then answers every request with 503. */
  readonly config: Config | undefined
  /**
   * Asks the ledger, and returns whether the server can issue tokens, as `/readyz` does. Undefined if the settings are invalid. Not to
   * be called in the global scope of a Worker.
   */
  readReadiness(): Promise<Readiness<string> | undefined>
  /** Rotates the signing keys when nothing else does, for a server without requests. Absent if keys are not rotated. */
  readonly rotation?: { readonly everySeconds: number; rotate(): Promise<void> } | undefined
}

/** Creates the server. Never rejects: problems with the settings are printed to the console, and every response is 503. */
export async function createServer(host: Host): Promise<Server> {
  for (const message of settingWarnings(host.environment))
    host.warn(`edgemint: ${message}`, { notice: 'setting_suspicious', message })
  const config = readConfig(host.environment)
  if (isProblems(config)) return unconfigured(host, config)
  const services = await openKeyServices(config, host)
  if (isProblems(services)) return unconfigured(host, services)
  const fixed = services.keyring ? {} : await readFixedKeys(config).catch(problemOf('SIGNING_KEYS'))
  if (isProblems(fixed)) return unconfigured(host, fixed)
  const stores = await host.openStores(config).catch(problemOf(host.storeSetting))
  if (isProblems(stores)) return unconfigured(host, stores)
  const { registrationToken, dev, issuer = originOf } = config
  const emit = linesOf(host, config.auditLog)
  const { keyring: remote, secret, unwrapKeyEncryptionKeys } = services
  const keys = { ...fixed, unwrapKeyEncryptionKeys }
  const keyring =
    remote ?? (await openKeyring(config, keys, stores, host, emit).catch(problemOf('KEY_ENCRYPTION_KEYS')))
  if (isProblems(keyring)) return unconfigured(host, keyring)
  const opened: Opened = {
    registry: dev ? withTestClient(stores.registry) : stores.registry,
    ledger: stores.ledger,
    keyring,
    nonces: await openNonces(config, secret),
    operatorTokenHash: registrationToken === undefined ? undefined : await hashToken(registrationToken),
    tokenForm: dev ? testForm : undefined,
    emit,
  }
  return {
    app: serve(createPreset({ ...config, ...opened, issuer, isAtRoot: true }, host), config, emit),
    config,
    readReadiness: async () => {
      const findError = () => findLedgerError(stores.ledger)
      const { isSigning, ledgerError } = await readReadiness(keyring, findError, host.now())
      return { isSigning, ledgerError: ledgerError === undefined ? undefined : errorText(ledgerError) }
    },
    rotation: isManaged(keyring)
      ? { everySeconds: keyring.rotateSeconds, rotate: () => keyring.rotate(host.now()) }
      : undefined,
  }
}

/** Answers 404 on other paths and, in development, requests from this machine only. */
function serve(provider: App, { dev }: Config, emit: Emit): App {
  // Mounting the provider in another app would wrap each of its handlers.
  const app = dev ? onLoopback(provider, emit) : provider
  return app.notFound((c) => respondWith(NOT_FOUND, withRequestId(c, jsonHeaders), 404))
}

function onLoopback(provider: App, emit: Emit): App {
  const app: App = new Hono()
  app.onError((error, c) => refuse(c, error, emit))
  app.use(requireLoopback)
  return app.route('/', provider)
}

function linesOf({ write, now, preciseNow = now }: Host, lines?: AuditLog): Emit {
  return auditLines(write, preciseNow, lines)
}

function originOf(url: string): string {
  return new URL(url).origin
}

function unconfigured(host: Host, problems: readonly Problem[]): Server {
  for (const { setting, problem } of problems) {
    const [message, command] = [`${setting} ${problem}`, host.commandFor(setting)]
    host.warn(`edgemint: ${message}. Set it: ${command}`, { notice: 'setting_invalid', setting, message, command })
  }
  const emit = linesOf(host)
  const app: App = new Hono()
  app.get('/livez', alive)
  app.all('*', () => {
    throw temporarilyUnavailable('not_configured', 'The server is not configured; its console shows what is missing.')
  })
  return { app: observe(app, { emit }), config: undefined, readReadiness: async () => undefined }
}

/**
 * Derived from the keys: Workers cannot generate random values at start. In development a nonce protects nothing.
 *
 * @param secret instead of settings that hold URLs of keys
 */
async function openNonces(
  { dpopNonceRequired, signingKeys = 'development', keyEncryptionKeys = signingKeys }: Config,
  secret = keyEncryptionKeys,
): Promise<Nonces | undefined> {
  return dpopNonceRequired ? nonces(await deriveHmacKey(secret, 'dpop nonces')) : undefined
}

function isProblems(outcome: object): outcome is readonly Problem[] {
  return Array.isArray(outcome)
}

function problemOf(setting: Problem['setting']): (error: unknown) => readonly Problem[] {
  return (error) => [{ setting, problem: errorText(error) }]
}

/** Returns the messages of an error and its causes. They may quote the URL of a store, so a password in it is replaced. */
function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const text = error.cause === undefined ? error.message : `${error.message}: ${errorText(error.cause)}`
  return text.replace(/\/\/\S*@/g, '//…@')
}
