/** The options of `clients create` and `clients update`, and their conversion to client metadata. */

import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { jsonObject, repeated, wholeNumber } from './arguments.ts'
import { CliError } from './errors.ts'
import type { Members } from './http.ts'

/** The options as commander returns them. */
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
  readonly assertionIssuer?: string[]
  readonly exchangeAs?: string[]
  readonly impersonation?: boolean
  readonly mayWiden?: string
  readonly mayAct?: string
}

export function withMetadata(command: Command): Command {
  return command
    .option('--metadata <file>', 'file with a JSON object of metadata; other options override it')
    .option('--name <text>', 'client_name')
    .option('--scope <scopes>', 'scopes it may request: patterns, space-separated')
    .option('--default-scope <scopes>', 'scopes it gets when it requests none')
    .option('--resource <identifier>', 'resource server it may request tokens for; repeatable', repeated)
    .option('--grant-type <type>', 'default client_credentials; repeatable', repeated)
    .option('--auth-method <method>', 'token_endpoint_auth_method')
    .option('--signing-alg <alg>', 'token_endpoint_auth_signing_alg')
    .option('--jwks <file>', 'file with its public JWK Set')
    .option('--jwks-uri <url>', 'URL of its public JWK Set')
    .option('--lifetime <seconds>', 'access_token_lifetime', wholeNumber)
    .option('--claims <json>', 'static claims of its tokens', jsonObject)
    .option('--dpop-bound', 'dpop_bound_access_tokens')
    .option('--certificate-bound', 'tls_client_certificate_bound_access_tokens')
    .option('--introspection', 'may call the introspection endpoint')
    .option('--assertion-issuer <issuer>', 'issuer whose assertions it may present; repeatable', repeated)
    .option(
      '--exchange-as <identifier>',
      'resource server that it is, whose tokens it may exchange; repeatable',
      repeated,
    )
    .option('--impersonation', 'tokens that it exchanges do not name it as an actor')
    .option('--may-widen <scopes>', 'scopes it may add to those of a token that it exchanges')
    .option('--may-act <id>', 'the only client that may act for it')
}

/** Returns the members of the metadata file, overridden by those of the other options but for {@link withExchange}. */
export function metadataOf(options: MetadataOptions): Members {
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
    assertion_issuers: options.assertionIssuer,
  }
  const named = Object.entries(members).filter(([, value]) => value !== undefined)
  return { ...(options.metadata !== undefined && readObject(options.metadata)), ...Object.fromEntries(named) }
}

/** Returns the members of a client with what the options set in `token_exchange`. The rest of it stays: a lost `may_act` lifts a limit. */
export function withExchange(
  client: Members,
  { exchangeAs, impersonation, mayWiden, mayAct }: MetadataOptions,
): Members {
  const members = { as: exchangeAs, impersonation, may_widen: mayWiden, may_act: mayAct }
  const named = Object.entries(members).filter(([, value]) => value !== undefined)
  const token_exchange = { ...Object(client['token_exchange']), ...Object.fromEntries(named) }
  return named.length === 0 ? client : { ...client, token_exchange }
}

function readObject(file: string): Record<string, unknown> {
  try {
    return jsonObject(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new CliError('usage', `${file}: ${error instanceof Error ? error.message : error}`)
  }
}
