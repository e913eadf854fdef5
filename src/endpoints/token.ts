/** `POST /token`: the steps of a token request, in order. */

import { Hono, type Context as HonoContext } from 'hono'
import { attributed } from '../attribution.ts'
import { type Authentication, authMetadata } from '../authentication/authenticate.ts'
import type { Connection, FindCertificate } from '../certificates/client_cert.ts'
import { invalidRequest, unauthorizedClient, unsupportedGrantType } from '../errors.ts'
import type { Emit } from '../events/events.ts'
import type { Confirmation, Confirmed, Grant } from '../features.ts'
import { emitFrom } from '../http/caller.ts'
import { readFormRequest } from '../http/form.ts'
import { type Keyring, requireLifetime } from '../keys/keyring.ts'
import { requireNames } from '../lib/names.ts'
import { grantResources } from '../policy/resource.ts'
import type { Resources } from '../resources/registry.ts'
import {
  type AccessTokenProfile,
  DEFAULT_TOKEN_LIFETIME_SECONDS,
  DEFAULT_TOKEN_PROFILE,
} from '../tokens/access_token.ts'
import { tokenIssuer } from '../tokens/issue.ts'
import { DEFAULT_REUSE_SECONDS, type TokenReuse } from '../tokens/reuse.ts'
import type { Client, Context, FormRequest } from '../types.ts'
import { contextOf, type Endpoint, type Site, TOKEN_PATH } from './endpoint.ts'
import { CREDENTIALS, type NamedSchema, objectSchema } from './operation.ts'
import { issuedEvent, respond } from './token_answer.ts'
import { draftToken } from './token_draft.ts'

type Grants = ReadonlyMap<string, Grant>

export interface TokenOptions {
  readonly authentication: Authentication
  readonly grants: readonly Grant[]
  readonly keyring: Keyring
  /** None by default: every token is a bearer token. */
  readonly confirmations?: readonly Confirmation[]
  /** Without it, client certificates are ignored. */
  readonly findCertificate?: FindCertificate
  /** None by default: the issuer is the audience of every token. */
  readonly resources?: Resources
  /** `rfc9068` by default. */
  readonly accessTokenProfile?: AccessTokenProfile
  /** Seconds; half an hour by default. */
  readonly accessTokenLifetime?: number
  /** Seconds for which a token is reused, unless its client has `token_reuse_seconds`; 0, a new token each time, by default. */
  readonly tokenReuseSeconds?: number
  /** Holds the tokens that can be reused; share it with what denies tokens. Without it, no token is reused. */
  readonly reuse?: TokenReuse | undefined
  /** Receives each event; by default events are dropped. */
  readonly emit?: Emit
}

type Settings = Required<TokenOptions>

const DEFAULTS: Omit<Settings, 'authentication' | 'grants' | 'keyring'> = {
  confirmations: [],
  findCertificate: async () => undefined,
  resources: { find: async () => undefined, findDefault: async () => undefined },
  accessTokenProfile: DEFAULT_TOKEN_PROFILE,
  accessTokenLifetime: DEFAULT_TOKEN_LIFETIME_SECONDS,
  tokenReuseSeconds: DEFAULT_REUSE_SECONDS,
  reuse: undefined,
  emit: () => undefined,
}

const TOKEN_RESPONSE: NamedSchema = {
  name: 'TokenResponse',
  schema: objectSchema(['access_token', 'expires_in', 'scope', 'token_type'], {
    expires_in: { type: 'integer' },
    issued_token_type: { type: 'string', description: 'In the answer to a token exchange, RFC 8693 §2.2.1' },
  }),
}

/**
 * Returns the token endpoint.
 *
 * @throws TypeError when there is no grant, when a name of grants or confirmations repeats, or from `requireLifetime`
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-3.2 RFC 6749 §3.2}
 */
export function tokenEndpoint(given: TokenOptions): Endpoint {
  const options: Settings = { ...DEFAULTS, ...given }
  checkNames(options)
  requireLifetime(options.keyring, options.accessTokenLifetime)
  const service: TokenService = {
    ...options,
    offered: new Map(options.grants.map((grant) => [grant.grantType, grant])),
    issue: tokenIssuer(options.accessTokenProfile, options.reuse),
  }
  return {
    path: TOKEN_PATH,
    metadataMember: 'token_endpoint',
    metadata: {
      grant_types_supported: [...service.offered.keys()],
      ...authMetadata('token', options.authentication),
      ...Object.assign({}, ...[...options.grants, ...options.confirmations].map(({ metadata }) => metadata)),
    },
    operations: {
      [TOKEN_PATH]: {
        post: {
          operationId: 'issueToken',
          tag: 'Tokens',
          summary: 'Issues an access token, RFC 6749 §3.2',
          form: {
            grant_type: { required: true },
            scope: {},
            resource: { repeats: true, description: 'RFC 8707 §2' },
            audience: { repeats: true, description: 'The same as resource' },
            ...Object.assign({}, ...options.grants.map(({ parameters }) => parameters)),
            ...CREDENTIALS,
          },
          answers: { 200: { schema: TOKEN_RESPONSE } },
          errors: [400, 401, 413, 415, 503],
          security: 'client',
          example: { grant_type: 'client_credentials', scope: 'read' },
        },
      },
    },
    routes: (site) => new Hono<{ Bindings: Connection }>().post('/', (c) => token(c, site, service)),
  }
}

function checkNames({ grants, confirmations }: Settings): void {
  requireNames(
    'tokenEndpoint: grants',
    grants.map(({ grantType }) => grantType),
  )
  if (confirmations.length === 0) return
  requireNames(
    'tokenEndpoint: confirmations',
    confirmations.map(({ method }) => method),
  )
}

/** The options, and what is made from them once. */
interface TokenService extends Settings {
  readonly offered: Grants
  readonly issue: ReturnType<typeof tokenIssuer>
}

async function token(c: HonoContext<{ Bindings: Connection }>, site: Site, service: TokenService): Promise<Response> {
  const request = await readFormRequest(c, service.findCertificate)
  // Read the clock only once the body has arrived; a slow upload must not make an expired assertion look valid.
  const context = contextOf(site, c)
  const grant = chooseGrant(request, service.offered)
  const { authenticated, claim } = await service.authentication.authenticateUnclaimed(
    request,
    context,
    grant.clientAuth,
  )
  const { client, credentials, proof } = authenticated
  let audience: readonly string[] | undefined
  try {
    if (!client.grant_types?.includes(grant.grantType)) {
      throw unauthorizedClient('grant_type_not_allowed', 'The client may not use this grant_type.')
    }
    const permit = await grant.permit(request, client, context, credentials)
    const { confirmed, claims } = await confirm(service.confirmations, request, client, context)
    permit.requireBinding?.(confirmed.cnf)
    const resources = await grantResources(request.form, permit, service.resources)
    audience = resources.map(({ resource }) => resource)
    const draft = await draftToken(request, permit, authenticated, confirmed, context, service, resources)
    const reuseSeconds = grant.isReusable ? (client.token_reuse_seconds ?? service.tokenReuseSeconds) : 0
    const issued = await service.issue(draft, reuseSeconds)
    // Last, so that a refused request uses up nothing.
    for (const each of [claim, ...claims, permit.claim]) await each?.()
    emitFrom(c, service.emit, issuedEvent(issued, grant, proof, permit))
    return respond(c, issued, context.now, confirmed, permit)
  } catch (error) {
    throw attributed(error, client.client_id, proof, audience)
  }
}

/** Runs before authentication, as in fosite: an unsupported grant is refused without the cost of a secret. */
function chooseGrant({ form }: FormRequest, grants: Grants): Grant {
  const grantType = form.get('grant_type')
  if (grantType === null) throw invalidRequest('grant_type_missing', 'The parameter grant_type is missing.')
  const grant = grants.get(grantType)
  if (grant === undefined) throw unsupportedGrantType('This server does not offer this grant_type.')
  return grant
}

/** Returns the merged results of all confirmations, and their claims of single-use values. */
async function confirm(
  confirmations: readonly Confirmation[],
  request: FormRequest,
  client: Client,
  context: Context,
): Promise<{ confirmed: Confirmed; claims: readonly NonNullable<Confirmed['claim']>[] }> {
  let all: Confirmed = { cnf: {} }
  const claims: NonNullable<Confirmed['claim']>[] = []
  for (const confirmation of confirmations) {
    const found = await confirmation.confirm(request, client, context)
    if (found === undefined) continue
    const { claim, ...confirmed } = found
    all = { ...all, ...confirmed, cnf: { ...all.cnf, ...confirmed.cnf } }
    if (claim !== undefined) claims.push(claim)
  }
  return { confirmed: all, claims }
}
