/** Options of `clients create` and `clients update` as members of the metadata. */

import { readFileSync } from 'node:fs'
import { type Command, InvalidArgumentError } from 'commander'
import { CliError } from './errors.ts'

/** As commander gives them. */
export interface MetadataOptions {
  readonly metadata?: string
  readonly name?: string
  readonly scope?: string
  readonly defaultScope?: string
  readonly resource?: string[]
  readonly grantType?: string[]
  readonly authMethod?: string
  readonly signingAlg?: string
  readonly jwks?: string
  readonly jwksUri?: string
  readonly lifetime?: number
  readonly claims?: Record<string, unknown>
  readonly dpopBound?: boolean
  readonly certificateBound?: boolean
  readonly introspection?: boolean
}

export function withMetadata(command: Command): Command {
  const collect = (value: string, before: string[] = []): string[] => [...before, value]
  return command
    .option('--metadata <file>', 'JSON object of metadata; the other options go before it')
    .option('--name <text>', 'client_name')
    .option('--scope <scopes>', 'what it may ask for, patterns with blanks between')
    .option('--default-scope <scopes>', 'what it gets when it asks for none')
    .option('--resource <identifier>', 'resource server that it may ask for; may repeat', collect)
    .option('--grant-type <type>', 'may repeat; default client_credentials', collect)
    .option('--auth-method <method>', 'token_endpoint_auth_method')
    .option('--signing-alg <alg>', 'token_endpoint_auth_signing_alg')
    .option('--jwks <file>', 'file of its public JWK Set')
    .option('--jwks-uri <url>', 'where its public keys are published')
    .option('--lifetime <seconds>', 'access_token_lifetime', wholeNumber)
    .option('--claims <json>', 'static claims of its tokens', object)
    .option('--dpop-bound', 'dpop_bound_access_tokens')
    .option('--certificate-bound', 'tls_client_certificate_bound_access_tokens')
    .option('--introspection', 'may call the introspection endpoint')
}

/** Gives the members that were named, those of the file first. */
export function metadataOf(options: MetadataOptions): Readonly<Record<string, unknown>> {
  const members = {
    client_name: options.name,
    scope: options.scope,
    default_scope: options.defaultScope,
    resources: options.resource,
    grant_types: options.grantType,
    token_endpoint_auth_method: options.authMethod,
    token_endpoint_auth_signing_alg: options.signingAlg,
    jwks: options.jwks === undefined ? undefined : readObject(options.jwks),
    jwks_uri: options.jwksUri,
    access_token_lifetime: options.lifetime,
    claims: options.claims,
    dpop_bound_access_tokens: options.dpopBound,
    tls_client_certificate_bound_access_tokens: options.certificateBound,
    introspection: options.introspection,
  }
  const named = Object.entries(members).filter(([, value]) => value !== undefined)
  return { ...(options.metadata !== undefined && readObject(options.metadata)), ...Object.fromEntries(named) }
}

function readObject(file: string): Record<string, unknown> {
  try {
    return object(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new CliError('usage', `${file}: ${error instanceof Error ? error.message : error}`)
  }
}

function object(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidArgumentError('It is a JSON object.')
  }
  return value as Record<string, unknown>
}

export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It is a whole number.')
  return Number(text)
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86400 }

/** Reads `90s`, `15m`, `24h` or `7d`, in seconds. */
export function duration(text: string): number {
  const [, number, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  const factor = UNITS[unit]
  if (number === undefined || factor === undefined) throw new InvalidArgumentError('It is like 90s, 15m, 24h or 7d.')
  return Number(number) * factor
}
