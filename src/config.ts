/** Settings, read from the environment and validated. The defaults of the options of createPreset stand beside these. */

import * as v from 'valibot'
import { DEFAULT_ASSERTION_LIFETIME_SECONDS } from './authentication/private_key_jwt.ts'
import type { Config, Problem, Setting } from './config_types.ts'
import {
  BEARER,
  BooleanText,
  Contacts,
  givenTexts,
  IntegerText,
  Issuer,
  KeyEncryptionText,
  Ranges,
  RotationDays,
  SigningAlgs,
  StoreUrl,
} from './config_values.ts'
import { AUDIT_LOGS, DEFAULT_AUDIT_LOG } from './events/audit.ts'
import { DEFAULT_ROTATION_DAYS, DEFAULT_SIGNING_ALG } from './keys/stored_keyring.ts'
import { isLoopback } from './lib/loopback.ts'
import { isDevHost, LISTENING, PRODUCTION_SETTINGS } from './listen_address.ts'
import { DEFAULT_PER_MINUTE } from './policy/rate_limit.ts'
import { DEFAULT_CACHE_SECONDS } from './records/open.ts'
import {
  type AccessTokenProfile,
  accessTokenProfiles,
  DEFAULT_TOKEN_LIFETIME_SECONDS,
  DEFAULT_TOKEN_PROFILE,
  MAX_TOKEN_LIFETIME_SECONDS,
} from './tokens/access_token.ts'
import { DEFAULT_REUSE_SECONDS, MAX_REUSE_SECONDS } from './tokens/reuse.ts'

const MAX_CACHE_SECONDS = 60 * 60
const MAX_ASSERTION_SECONDS = 24 * 60 * 60
const DAY_SECONDS = 24 * 60 * 60
const MIN_ROTATION_SECONDS = 4

const profiles = Object.keys(accessTokenProfiles) as AccessTokenProfile[]

/** Of their own, so that no client of development exists in production. */
const DEVELOPMENT_STORE = 'sqlite:.edgemint/development.db'
const PRODUCTION_STORE = 'sqlite:.edgemint/edgemint.db'

const Settings = v.object({
  ISSUER: v.optional(Issuer),
  SIGNING_KEYS: v.optional(v.string()),
  KEY_ENCRYPTION_KEYS: v.optional(KeyEncryptionText),
  KEY_ROTATION_DAYS: v.optional(RotationDays, String(DEFAULT_ROTATION_DAYS)),
  KEY_ROTATION_SECONDS: v.optional(IntegerText(MIN_ROTATION_SECONDS, DAY_SECONDS)),
  SIGNING_ALG: v.optional(SigningAlgs, DEFAULT_SIGNING_ALG),
  ACCESS_TOKEN_LIFETIME: v.optional(IntegerText(1, MAX_TOKEN_LIFETIME_SECONDS), String(DEFAULT_TOKEN_LIFETIME_SECONDS)),
  ACCESS_TOKEN_PROFILE: v.optional(
    v.picklist(profiles, `must be one of ${profiles.join(', ')}`),
    DEFAULT_TOKEN_PROFILE,
  ),
  TOKEN_REUSE_SECONDS: v.optional(IntegerText(0, MAX_REUSE_SECONDS), String(DEFAULT_REUSE_SECONDS)),
  AUDIT_LOG: v.optional(v.picklist(AUDIT_LOGS, `must be one of ${AUDIT_LOGS.join(', ')}`), DEFAULT_AUDIT_LOG),
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
  SECURITY_CONTACT: v.optional(Contacts),
  STORE_URL: v.optional(StoreUrl),
  ...LISTENING,
} satisfies Record<Setting, v.GenericSchema<string | undefined, unknown>>)

const DEV_HOST = 'must be a loopback address in development'

/** Names of all settings. */
export const settingNames: readonly Setting[] = Object.keys(Settings.entries) as Setting[]

/** Otherwise the well-known secret of the test client would get tokens that resource servers trust. */
const DEV_IN_PRODUCTION = 'must not be set together with ISSUER, SIGNING_KEYS or KEY_ENCRYPTION_KEYS'

const ONLY_IN_TESTS = 'is for tests: it needs an ISSUER on a loopback host'

/**
 * Reads the settings from an environment. An empty variable counts as absent; unknown variables are ignored.
 *
 * @returns the config, or a problem for each setting that is missing or malformed
 */
export function readConfig(environment: Readonly<Record<string, unknown>>): Config | readonly Problem[] {
  const read = v.safeParse(Settings, givenTexts(environment, settingNames), { abortPipeEarly: true })
  if (!read.success) {
    return settingNames.flatMap((setting) => {
      const issue = read.issues.find((each) => v.getDotPath(each) === setting)
      return issue === undefined ? [] : [{ setting, problem: issue.message }]
    })
  }
  const settings = read.output
  const problem = problemOf(settings)
  if (problem !== undefined) return problem
  return {
    issuer: settings.ISSUER,
    signingKeys: settings.SIGNING_KEYS,
    keyEncryptionKeys: settings.KEY_ENCRYPTION_KEYS,
    rotationSeconds: settings.KEY_ROTATION_SECONDS ?? secondsOf(settings.KEY_ROTATION_DAYS),
    signingAlgs: settings.SIGNING_ALG,
    accessTokenLifetime: settings.ACCESS_TOKEN_LIFETIME,
    accessTokenProfile: settings.ACCESS_TOKEN_PROFILE,
    tokenReuseSeconds: settings.TOKEN_REUSE_SECONDS,
    auditLog: settings.AUDIT_LOG,
    cacheSeconds: settings.CACHE_SECONDS,
    clientAssertionLifetime: settings.CLIENT_ASSERTION_LIFETIME,
    registrationToken: settings.REGISTRATION_TOKEN,
    introspectionsPerMinute: settings.INTROSPECTIONS_PER_MINUTE,
    dpopNonceRequired: settings.DPOP_NONCE_REQUIRED,
    trustedProxies: settings.TRUSTED_PROXIES ?? [],
    clientCertVerified: settings.CLIENT_CERT_VERIFIED,
    securityContacts: settings.SECURITY_CONTACT ?? [],
    storeUrl: settings.STORE_URL ?? (settings.DEV ? DEVELOPMENT_STORE : PRODUCTION_STORE),
    dev: settings.DEV,
  }
}

function secondsOf(days: number | undefined): number | undefined {
  return days === undefined ? undefined : days * DAY_SECONDS
}

/** Returns what is wrong with settings that are well-formed by themselves. Either kind of keys is enough to start. */
function problemOf(settings: v.InferOutput<typeof Settings>): readonly Problem[] | undefined {
  const { ISSUER, SIGNING_KEYS, KEY_ENCRYPTION_KEYS, KEY_ROTATION_SECONDS, DEV, HOST } = settings
  if (DEV && PRODUCTION_SETTINGS.some((name) => settings[name] !== undefined))
    return [{ setting: 'DEV', problem: DEV_IN_PRODUCTION }]
  if (DEV) return isDevHost(HOST) ? undefined : [{ setting: 'HOST', problem: DEV_HOST }]
  const missing: Setting[] = [
    ...(ISSUER === undefined ? (['ISSUER'] as const) : []),
    ...(SIGNING_KEYS === undefined && KEY_ENCRYPTION_KEYS === undefined ? (['SIGNING_KEYS'] as const) : []),
  ]
  if (missing.length > 0) return missing.map((setting) => ({ setting, problem: 'is missing' }))
  const isTest = ISSUER !== undefined && isLoopback(new URL(ISSUER).hostname)
  return KEY_ROTATION_SECONDS === undefined || isTest
    ? undefined
    : [{ setting: 'KEY_ROTATION_SECONDS', problem: ONLY_IN_TESTS }]
}
