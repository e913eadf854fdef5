/** The full server: settings become a provider with every feature on, or a server that says what it lacks. */

import { Hono } from 'hono'
import { type Nonces, nonces } from './assertions/nonce.ts'
import { type RemoteKeysOptions, remoteKeys } from './assertions/remote_keys.ts'
import { type CertificateOptions, type Connection, clientCertificates } from './certificates/client_cert.ts'
import { clientSecretBasic } from './clients/client_secret_basic.ts'
import { clientSecretPost } from './clients/client_secret_post.ts'
import { privateKeyJwt } from './clients/private_key_jwt.ts'
import { clientKey, clientRecord } from './clients/registry.ts'
import { hashToken } from './clients/secret_hashes.ts'
import { secretVerifier } from './clients/secrets.ts'
import { selfSignedTlsClientAuth } from './clients/self_signed_tls_client_auth.ts'
import { tlsClientAuth } from './clients/tls_client_auth.ts'
import { type Config, type Problem, readConfig } from './config.ts'
import { dpop } from './confirmations/dpop.ts'
import { mtls } from './confirmations/mtls.ts'
import { jsonHeaders, refuse } from './endpoints/respond.ts'
import { temporarilyUnavailable } from './errors.ts'
import { auditLines } from './events/audit.ts'
import { clientCredentials } from './grants/client_credentials.ts'
import { deriveHmacKey } from './keys/derived_key.ts'
import { generateKeyring, type Keyring, readKeyring } from './keys/keyring.ts'
import { isLoopbackAddress } from './lib/ip_address.ts'
import { isLoopback } from './lib/loopback.ts'
import { createProvider } from './provider.ts'
import type { Registry, Stores } from './stores/contracts.ts'
import { guardStores } from './stores/guard.ts'
import type { Client } from './types.ts'

/** How long one operation of a store may take. */
const STORE_SECONDS = 2

const NOT_FOUND = JSON.stringify({ error: 'not_found', error_description: 'There is nothing at this path.' })

/** What the runtime gives to the server. */
export interface Host extends RemoteKeysOptions {
  /** The environment; values that are no strings are no settings. */
  readonly environment: Readonly<Record<string, unknown>>
  /** The client's certificate, where the platform ends TLS itself. */
  readonly certificateOf?: CertificateOptions['fromPlatform']
  /** Rejects when the stores cannot be opened; the message goes to the console. */
  openStores(config: Config): Promise<Stores>
  /** Name of the setting that `openStores` depends on. */
  readonly storeSetting: Problem['setting']
  /** The command that sets a setting on this runtime. */
  commandFor(setting: Problem['setting']): string
  /** Returns epoch seconds. Called by requests only: in the global scope of a Worker the clock stands at 0. */
  now(): number
  /** Takes a line for the audit log. */
  write(line: string): void
  /** Takes a line for the operator. */
  warn(line: string): void
}

export interface Server {
  /** Its `fetch` takes the connection as second argument, where the runtime knows it. */
  readonly app: Hono<{ Bindings: Connection }>
  /** Undefined when the settings do not make a server: then the app answers 503 to everything. */
  readonly config: Config | undefined
}

/** Never rejects: what is wrong with the settings goes to the console and into every answer's status. */
export async function createServer(host: Host): Promise<Server> {
  const config = readConfig(host.environment)
  if (isProblems(config)) return unconfigured(host, config)
  const keyring = await openKeyring(config).catch(problemOf('SIGNING_KEYS'))
  if (isProblems(keyring)) return unconfigured(host, keyring)
  const stores = await host.openStores(config).catch(problemOf(host.storeSetting))
  if (isProblems(stores)) return unconfigured(host, stores)
  const { registrationToken } = config
  const parts = {
    keyring,
    nonces: await openNonces(config),
    operatorTokenHash: registrationToken === undefined ? undefined : await hashToken(registrationToken),
    ...guardStores(stores, STORE_SECONDS),
  }
  return { app: configured(host, config, parts), config }
}

interface Parts extends Stores {
  readonly keyring: Keyring
  readonly nonces: Nonces | undefined
  readonly operatorTokenHash: string | undefined
}

function configured(host: Host, config: Config, parts: Parts): Server['app'] {
  const { keyring, nonces, registry, ledger, operatorTokenHash } = parts
  const emit = auditLines(host.write, host.now)
  const verifySecret = secretVerifier()
  const findKeys = remoteKeys(host)
  const provider = createProvider({
    issuer: config.issuer ?? ((url) => new URL(url).origin),
    clientAuth: [
      clientSecretBasic(verifySecret),
      clientSecretPost(verifySecret),
      privateKeyJwt({ ledger, remoteKeys: findKeys, maxLifetimeSeconds: config.clientAssertionLifetime }),
      tlsClientAuth(),
      selfSignedTlsClientAuth(findKeys),
    ],
    grants: [clientCredentials()],
    confirmations: [dpop({ ledger, nonces }), mtls()],
    registry: config.dev ? withTestClient(registry) : registry,
    ledger,
    introspectionsPerMinute: config.introspectionsPerMinute,
    operatorTokenHash,
    cacheSeconds: config.cacheSeconds,
    findCertificate: clientCertificates({
      fromPlatform: host.certificateOf,
      trustedProxies: config.trustedProxies,
      isVerifiedByProxy: config.clientCertVerified,
      emit,
    }),
    keyring,
    accessTokenProfile: config.accessTokenProfile,
    accessTokenLifetime: config.accessTokenLifetime,
    emit,
    now: host.now,
  })
  const app = new Hono<{ Bindings: Connection }>()
  app.onError((error, c) => refuse(c, error, emit))
  app.notFound((c) => c.body(NOT_FOUND, 404, jsonHeaders))
  if (config.dev) {
    app.use(async (c, next) => {
      if (!isFromHere(c.req.raw, c.env?.peer?.())) {
        throw temporarilyUnavailable('host_not_loopback', 'Development mode answers on loopback hosts only.')
      }
      await next()
    })
  }
  return app.route('/', provider)
}

/** Headers that proxies add. */
const FORWARDED = [
  'Forwarded',
  'Via',
  'X-Forwarded-For',
  'X-Forwarded-Host',
  'X-Forwarded-Port',
  'X-Forwarded-Proto',
  'X-Forwarded-Server',
  'X-Real-IP',
]

/**
 * Returns whether both ends are this machine, as far as can be seen: a proxy that adds no header cannot. `CF-Connecting-IP` is
 * set by `wrangler dev` to the address of its caller, unless the caller sent one, and by Cloudflare's proxies.
 */
function isFromHere({ url, headers }: Request, peer = '127.0.0.1'): boolean {
  const client = headers.get('CF-Connecting-IP') ?? peer
  const isForwarded = FORWARDED.some((name) => headers.has(name))
  const isHere = isLoopbackAddress(peer) && isLoopbackAddress(client)
  return !isForwarded && isHere && URL.canParse(url) && isLoopback(new URL(url).hostname)
}

function unconfigured(host: Host, problems: readonly Problem[]): Server {
  for (const { setting, problem } of problems) {
    host.warn(`edgemint: ${setting} ${problem}. Set it: ${host.commandFor(setting)}`)
  }
  host.warn('edgemint: answering 503 until then.')
  const app = new Hono<{ Bindings: Connection }>()
  app.onError((error, c) => refuse(c, error, auditLines(host.write, host.now)))
  app.all('*', () => {
    throw temporarilyUnavailable('not_configured', 'The server is not configured; its console says what is missing.')
  })
  return { app, config: undefined }
}

function openKeyring({ signingKeys, accessTokenLifetime }: Config): Promise<Keyring> {
  const options = { lifetimeSeconds: accessTokenLifetime }
  return signingKeys === undefined ? generateKeyring(options) : readKeyring(signingKeys, options)
}

/** Workers make no random values at their start, and in development a nonce protects nothing. */
async function openNonces({ dpopNonceRequired, signingKeys = 'development' }: Config): Promise<Nonces | undefined> {
  return dpopNonceRequired ? nonces(await deriveHmacKey(signingKeys, 'dpop nonces')) : undefined
}

function isProblems(outcome: object): outcome is readonly Problem[] {
  return Array.isArray(outcome)
}

function problemOf(setting: Problem['setting']): (error: unknown) => readonly Problem[] {
  return (error) => [{ setting, problem: withoutUserinfo(error instanceof Error ? error.message : String(error)) }]
}

/** An error may quote the URL of a store, with the password in it. */
function withoutUserinfo(text: string): string {
  return text.replace(/\/\/\S*@/g, '//…@')
}

/** The client of the how-to; its hash is bcrypt of `foobar`. It exists in development only and in no store. */
const testClient: Client = {
  client_id: 'test-client',
  client_secrets: [{ id: 'development', hash: '$2b$10$U1iBZxDfVh5rEHwxhvXTCOGfkAmXAS5mPq/hcaHaPjzl0dvab7j1K' }],
  grant_types: ['client_credentials'],
  scope: 'read write',
}

function withTestClient(registry: Registry): Registry {
  const key = clientKey(testClient.client_id)
  return {
    ...registry,
    get: async (wanted, options) => (wanted === key ? clientRecord(testClient) : registry.get(wanted, options)),
  }
}
