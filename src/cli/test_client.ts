/** `edgemint clients test`: requests a token as the client would, and shows it decoded and verified. */

import process from 'node:process'
import { type Command, Option } from 'commander'
import type { JWTPayload } from 'jose'
import { makeProver, type Prover } from '../client/prover.ts'
import { accept } from './api.ts'
import { nonEmpty, repeated } from './arguments.ts'
import { readToken } from './ask.ts'
import {
  AUTH_METHODS,
  type AuthMethod,
  authMethodOf,
  type CredentialOptions,
  type Credentials,
  openCredentials,
} from './client_credentials.ts'
import { clientPath } from './client_records.ts'
import { CliError } from './errors.ts'
import { isWorkloadMethod } from './federated_credentials.ts'
import {
  type Answer,
  type Exchange,
  type Members,
  malformed,
  openServer,
  refusalText,
  type ServerOptions,
  serverUrl,
  shorten,
  withServer,
} from './http.ts'
import { instant, print, printJson, printMembers } from './output.ts'
import { verifyBindings, verifyToken } from './verify_token.ts'
import { readWorkloadToken } from './workload_token.ts'

interface TestOptions extends ServerOptions, Omit<CredentialOptions, 'token'> {
  /** Name of a file. */
  readonly token?: string
  readonly scope?: string
  readonly resource?: string[]
  readonly issuer?: string
  readonly cert?: string
  readonly dpop?: boolean
}

/** What the client sends, and what its token must be bound to. */
interface Attempt {
  readonly method: AuthMethod
  readonly credentials: () => Promise<Credentials>
  /** What DPoP proofs name, RFC 9449 §4.2. */
  readonly tokenEndpoint: string
  readonly prover: Prover | undefined
}

const DESCRIPTION = `Requests a token as the client would, and shows it decoded and verified against the JWK Set of the server.

The secret is read from EDGEMINT_CLIENT_SECRET, or prompted for. The operator's token is not needed; if EDGEMINT_TOKEN
is set, the record of the client says how it authenticates and whether it needs DPoP. The token itself is not printed.`

export function addTest(clients: Command): void {
  withServer(clients.command('test <id>').description(DESCRIPTION).summary('Requests a token as the client would.'))
    .option('--scope <scopes>', 'scopes to request, space-separated')
    .option('--resource <identifier>', 'resource server to request a token for; repeatable', repeated)
    .option('--issuer <url>', 'issuer of the server, if it is not its URL: behind a proxy', nonEmpty)
    .option('--secret-stdin', 'read the secret from standard input')
    .option('--client-key <file>', 'file with the private JWK of a client that uses private_key_jwt')
    .option('--token <file>', 'file with the token of its platform, or - for standard input')
    .option('--cert <file>', "PEM file with the client's certificate")
    .option('--key <file>', 'PEM file with the private key of the certificate')
    .option('--dpop', 'send a DPoP proof of a new key, and check that the token is bound to it')
    .addOption(
      new Option(
        '--auth-method <method>',
        'how the client authenticates (default: by its record or the options)',
      ).choices(AUTH_METHODS),
    )
    .action(testClient)
}

async function testClient(id: string, options: TestOptions): Promise<void> {
  const exchange = openServer(options)
  const metadata = accept(await exchange({ method: 'GET', path: '/.well-known/oauth-authorization-server' }))
  const issuer = issuerOf(metadata, options)
  const { token_endpoint: tokenEndpoint = `${issuer}/token` } = metadata
  if (typeof tokenEndpoint !== 'string') malformed('token_endpoint is not a string')
  const record = await readRecord(exchange, id)
  const token = options.token === undefined ? undefined : await readWorkloadToken(options.token)
  const method = authMethodOf({ ...options, token }, record)
  const credentials = await openCredentials(id, issuer, method, { ...options, token })
  const isDpop = options.dpop ?? record['dpop_bound_access_tokens'] === true
  const prover = isDpop ? await makeProver() : undefined
  const { access_token, ...response } = await requestToken(
    exchange,
    { method, credentials, tokenEndpoint, prover },
    options,
  )
  if (typeof access_token !== 'string') malformed('access_token is not a string')
  const jwks = accept(await exchange({ method: 'GET', path: '/.well-known/jwks.json' }))
  const { protectedHeader, payload } = await verifyToken(access_token, jwks, issuer)
  const bindings = verifyBindings(payload, prover, options.cert)
  if (options.json) printJson({ ...response, header: protectedHeader, claims: payload })
  else show(bindings, response, protectedHeader, payload)
}

/**
 * Returns the issuer. An assertion is made for it, so a server that names another one could present the assertion there.
 *
 * @throws CliError `refused` if it is neither that of `--issuer` nor, without one, the URL of the server
 * @see {@link https://www.rfc-editor.org/rfc/rfc8414#section-3.3 RFC 8414 §3.3}
 */
function issuerOf({ issuer }: Members, options: TestOptions): string {
  if (typeof issuer !== 'string') malformed('issuer is not a string')
  const expected = options.issuer ?? serverUrl(options)
  const [named, wanted] = [issuer, expected].map((text) => text.replace(/\/$/, ''))
  if (named === wanted) return issuer
  const problem = `the server names the issuer ${shorten(issuer)} and not ${expected}, so it was sent no credentials`
  throw new CliError('refused', `${problem}. --issuer URL names the issuer of a server that is reached at another URL`)
}

/** Returns the client's record if the operator's token is set and the server shows it, otherwise an empty one. */
async function readRecord(exchange: Exchange, id: string): Promise<Members> {
  if (!process.env['EDGEMINT_TOKEN']) return {}
  const Authorization = `Bearer ${await readToken()}`
  const { status, body } = await exchange({ method: 'GET', path: clientPath(id), headers: { Authorization } })
  return status === 200 ? body : {}
}

async function requestToken(exchange: Exchange, attempt: Attempt, options: TestOptions): Promise<Members> {
  const { scope, resource = [] } = options
  const { method, credentials, tokenEndpoint, prover } = attempt
  const send = async (nonce?: string): Promise<Answer> => {
    const { form: own, headers: ownHeaders } = await credentials()
    const form = new URLSearchParams({ grant_type: 'client_credentials', ...own })
    if (scope !== undefined) form.set('scope', scope)
    for (const each of resource) form.append('resource', each)
    const headers = {
      'Content-Type': 'application/x-www-form-urlencoded',
      ...ownHeaders,
      ...(prover !== undefined && { DPoP: await prover.prove({ method: 'POST', url: tokenEndpoint, nonce }) }),
    }
    return exchange({ method: 'POST', path: '/token', headers, body: form.toString() })
  }
  const first = await send()
  // RFC 9449 §8: the server supplies the nonce with its refusal.
  const { dpopNonce } = first
  const isRetried = prover !== undefined && first.body['error'] === 'use_dpop_nonce' && dpopNonce !== undefined
  const answer = isRetried ? await send(dpopNonce) : first
  if (answer.status < 300) return answer.body
  throw new CliError('refused', `${refusalText(answer)}${hintOf(answer, method, options)}`)
}

function hintOf(
  { body: { error, error_description } }: Answer,
  method: AuthMethod,
  { dpop, cert }: TestOptions,
): string {
  if (error === 'invalid_client') {
    if (isWorkloadMethod(method))
      return " The server's audit log has the reason, and clients trust ID --explain FILE says more."
    const proof = method.startsWith('client_secret') ? 'secret' : method === 'private_key_jwt' ? 'key' : 'certificate'
    return ` Are the id and the ${proof} right, and is ${method} its method?`
  }
  if (error === 'invalid_dpop_proof' && !dpop) return ' --dpop sends one.'
  const isCertificateMissing = cert === undefined && /certificate/.test(String(error_description))
  return isCertificateMissing ? ' --cert FILE and --key FILE present one.' : ''
}

function show(bindings: readonly string[], response: Members, header: object, claims: JWTPayload): void {
  const times = ['iat', 'nbf', 'exp'].filter((name) => name in claims).map((name) => [name, instant(claims[name])])
  for (const line of ['The token is valid: signature, issuer and time.', ...bindings]) print(line)
  for (const [title, members] of [
    ['response', response],
    ['header', header],
    ['claims', { ...claims, ...Object.fromEntries(times) }],
  ] as const) {
    print('')
    print(`${title}:`)
    printMembers(members as Members)
  }
}
