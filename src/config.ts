/** Settings, read from the environment and validated. The defaults of the options of createPreset stand beside these. */

import * as v from 'valibot'
import { DEFAULT_ASSERTION_LIFETIME_SECONDS } from './authentication/private_key_jwt.ts'
import { isRange } from './lib/ip_address.ts'
import { isLoopback } from './lib/loopback.ts'
import { DEFAULT_PER_MINUTE } from './policy/rate_limit.ts'
import { DEFAULT_CACHE_SECONDS, type PresetOptions } from './preset.ts'
import {
  type AccessTokenProfile,
  accessTokenProfiles,
  DEFAULT_TOKEN_LIFETIME_SECONDS,
  DEFAULT_TOKEN_PROFILE,
  MAX_TOKEN_LIFETIME_SECONDS,
} from './tokens/access_token.ts'

export interface Config extends Required<PresetOptions> {
  /** Private JWK Set or PKCS#8 PEM, not yet parsed. Undefined in development, where the server generates a key at start. */
  readonly signingKeys: string | undefined
  /** The operator's token, RFC 7591 §3. Without it nothing can be registered. */
  readonly registrationToken: string | undefined
  /** Whether a DPoP proof must contain a nonce that this server issued. */
  readonly dpopNonceRequired: boolean
  /** In a form that STORE_URLS matches. Workers use their bindings instead. */
  readonly storeUrl: string
  readonly dev: boolean
}

/** Names of the environment variables. */
export type Setting =
  | 'ISSUER'
  | 'SIGNING_KEYS'
  | 'ACCESS_TOKEN_LIFETIME'
  | 'ACCESS_TOKEN_PROFILE'
  | 'CACHE_SECONDS'
  | 'CLIENT_ASSERTION_LIFETIME'
  | 'REGISTRATION_TOKEN'
  | 'INTROSPECTIONS_PER_MINUTE'
  | 'DPOP_NONCE_REQUIRED'
  | 'TRUSTED_PROXIES'
  | 'CLIENT_CERT_VERIFIED'
  | 'STORE_URL'
  | 'PORT'
  | 'DEV'

/** A setting, or the file with the bindings, without which the server cannot run. The text never quotes a secret. */
export interface Problem {
  readonly setting: Setting | 'wrangler.toml'
  readonly problem: string
}

const MAX_CACHE_SECONDS = 60 * 60
const MAX_ASSERTION_SECONDS = 24 * 60 * 60

/** Each runtime supports some of these schemes. */
const STORE_URLS = /^(memory:|sqlite:[^:].*|rediss?:\/\/.+|denokv:.*)$/

/** RFC 6750 §2.1, and too long to be guessed. */
const BEARER = /^[\w.~+/-]{32,256}=*$/

const IntegerText = (least: number, most: number): v.GenericSchema<string, number> =>
  v.pipe(
    v.string(),
    v.regex(/^\d{1,9}$/, `must be a whole number from ${least} to ${most}`),
    v.transform(Number),
    v.minValue(least, `must be at least ${least}`),
    v.maxValue(most, `must be at most ${most}`),
  )

const BooleanText: v.GenericSchema<string, boolean> = v.pipe(
  v.picklist(['true', '1', 'false', '0'], 'must be true or false'),
  v.transform((text) => text === 'true' || text === '1'),
)

const Ranges: v.GenericSchema<string, string[]> = v.pipe(
  v.string(),
  v.transform((text) => text.split(',').map((range) => range.trim())),
  v.everyItem(
    isRange,
    'must be comma-separated IP addresses and CIDR ranges, IPv4 as four decimal numbers without leading zeros',
  ),
)

const Issuer: v.GenericSchema<string> = v.pipe(
  v.string(),
  v.check((text) => URL.canParse(text), 'must be a URL'),
  v.check((text) => !/[?#]/.test(text), 'must have no query and no fragment'),
  v.check((text) => isIssuer(new URL(text)), 'must be https (http only on a loopback host), without a user name'),
  v.check(
    (text) => [text, `${text}/`].includes(new URL(text).href),
    'must be written in normal form: lower-case host, no default port',
  ),
)

/** Validated here because the URL errors of some runtimes quote the URL with its password. */
const StoreUrl: v.GenericSchema<string> = v.pipe(
  v.string(),
  v.regex(STORE_URLS, 'must be sqlite:PATH, redis://…, rediss://…, denokv:PATH or memory:'),
  v.check(
    (text) => !/^rediss?:/.test(text) || isRedisUrl(text),
    'must be redis://USER:PASSWORD@HOST:PORT/DATABASE, where only the host is required and reserved characters in the password are percent-encoded',
  ),
)

const profiles = Object.keys(accessTokenProfiles) as AccessTokenProfile[]

const DEFAULT_PORT = 8080

const Port = v.optional(IntegerText(0, 65535), String(DEFAULT_PORT))

const Settings = v.object({
  ISSUER: v.optional(Issuer),
  SIGNING_KEYS: v.optional(v.string()),
  ACCESS_TOKEN_LIFETIME: v.optional(IntegerText(1, MAX_TOKEN_LIFETIME_SECONDS), String(DEFAULT_TOKEN_LIFETIME_SECONDS)),
  ACCESS_TOKEN_PROFILE: v.optional(
    v.picklist(profiles, `must be one of ${profiles.join(', ')}`),
    DEFAULT_TOKEN_PROFILE,
  ),
  CACHE_SECONDS: v.optional(IntegerText(0, MAX_CACHE_SECONDS), String(DEFAULT_CACHE_SECONDS)),
  CLIENT_ASSERTION_LIFETIME: v.optional(
    IntegerText(1, MAX_ASSERTION_SECONDS),
    String(DEFAULT_ASSERTION_LIFETIME_SECONDS),
  ),
  REGISTRATION_TOKEN: v.optional(
    v.pipe(v.string(), v.trim(), v.regex(BEARER, 'must be a bearer token of at least 32 characters')),
  ),
  INTROSPECTIONS_PER_MINUTE: v.optional(IntegerText(0, 10_000_000), String(DEFAULT_PER_MINUTE)),
  DPOP_NONCE_REQUIRED: v.optional(BooleanText, 'false'),
  TRUSTED_PROXIES: v.optional(Ranges),
  CLIENT_CERT_VERIFIED: v.optional(BooleanText, 'false'),
  STORE_URL: v.optional(StoreUrl, 'sqlite:.edgemint/edgemint.db'),
  PORT: Port,
  DEV: v.optional(BooleanText, 'false'),
} satisfies Record<Setting, v.GenericSchema<string | undefined, unknown>>)

const names = Object.keys(Settings.entries) as Setting[]

const NEEDED = ['ISSUER', 'SIGNING_KEYS'] as const

/** Otherwise the well-known secret of the test client would get tokens that resource servers trust. */
const DEV_IN_PRODUCTION = 'must not be set together with ISSUER or SIGNING_KEYS'

/**
 * Reads the settings from an environment. An empty variable counts as absent; unknown variables are ignored.
 *
 * @returns the config, or a problem for each setting that is missing or malformed
 */
export function readConfig(environment: Readonly<Record<string, unknown>>): Config | readonly Problem[] {
  const given = names.flatMap((name) => {
    const value = environment[name]
    // A Worker's variable may be a number or a boolean.
    const text = typeof value === 'number' || typeof value === 'boolean' ? String(value) : value
    return text === undefined || text === '' ? [] : [[name, text]]
  })
  const read = v.safeParse(Settings, Object.fromEntries(given), { abortPipeEarly: true })
  if (!read.success) {
    return names.flatMap((setting) => {
      const issue = read.issues.find((each) => v.getDotPath(each) === setting)
      return issue === undefined ? [] : [{ setting, problem: issue.message }]
    })
  }
  const settings = read.output
  const missing = NEEDED.filter((name) => settings[name] === undefined)
  if (settings.DEV && missing.length < NEEDED.length) return [{ setting: 'DEV', problem: DEV_IN_PRODUCTION }]
  if (!settings.DEV && missing.length > 0) return missing.map((setting) => ({ setting, problem: 'is missing' }))
  return {
    issuer: settings.ISSUER,
    signingKeys: settings.SIGNING_KEYS,
    accessTokenLifetime: settings.ACCESS_TOKEN_LIFETIME,
    accessTokenProfile: settings.ACCESS_TOKEN_PROFILE,
    cacheSeconds: settings.CACHE_SECONDS,
    clientAssertionLifetime: settings.CLIENT_ASSERTION_LIFETIME,
    registrationToken: settings.REGISTRATION_TOKEN,
    introspectionsPerMinute: settings.INTROSPECTIONS_PER_MINUTE,
    dpopNonceRequired: settings.DPOP_NONCE_REQUIRED,
    trustedProxies: settings.TRUSTED_PROXIES ?? [],
    clientCertVerified: settings.CLIENT_CERT_VERIFIED,
    storeUrl: settings.STORE_URL,
    dev: settings.DEV,
  }
}

/** Returns the port to listen on, independent of the other settings: 8080 if PORT is absent or malformed. */
export function readPort({ PORT }: Readonly<Record<string, unknown>>): number {
  return v.parse(v.fallback(Port, DEFAULT_PORT), PORT || undefined)
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc8414#section-2 RFC 8414 §2} */
function isIssuer({ protocol, hostname, username, password }: URL): boolean {
  const isSecure = protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname))
  return isSecure && username === '' && password === ''
}

/** A raw `/`, `?` or `#` in a password ends the authority early, and the rest would be read as another part of the URL. */
function isRedisUrl(text: string): boolean {
  if (/[\s\\?#]/.test(text) || /%(?![\da-f]{2})/i.test(text) || !URL.canParse(text)) return false
  const { hostname, pathname } = new URL(text)
  return hostname !== '' && /^(\/\d*)?$/.test(pathname)
}
