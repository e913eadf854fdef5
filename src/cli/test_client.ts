/** `edgemint clients test`: requests a token as the client would, and shows it decoded and verified. */

import { type Command, Option } from 'commander'
import { createLocalJWKSet, type JSONWebKeySet, type JWTPayload, type JWTVerifyResult, jwtVerify } from 'jose'
import { accept } from './api.ts'
import { repeated } from './arguments.ts'
import { readSecret } from './ask.ts'
import { type Credentials, keyCredentials, SECRET_METHODS, secretCredentials } from './client_credentials.ts'
import { CliError } from './errors.ts'
import { isWorkloadMethod, WORKLOAD_METHODS } from './federated_credentials.ts'
import { type Exchange, type Members, malformed, openServer, type ServerOptions, withServer } from './http.ts'
import { instant, print, printJson, printMembers } from './output.ts'
import { readWorkloadToken, usualMethod, workloadForm } from './workload_token.ts'

interface TestOptions extends ServerOptions {
  readonly scope?: string
  readonly resource?: string[]
  readonly key?: string
  readonly token?: string
  readonly secretStdin?: boolean
  readonly authMethod?: AuthMethod
}

/** The methods that `--auth-method` chooses between. */
const METHODS = [...SECRET_METHODS, ...WORKLOAD_METHODS] as const

type AuthMethod = (typeof METHODS)[number]

const DESCRIPTION = `Requests a token as the client would, and shows it decoded and verified against the JWK Set of the server.

The secret is read from EDGEMINT_CLIENT_SECRET, or prompted for. The operator's token is not needed. The token itself
is not printed.`

export function addTest(clients: Command): void {
  withServer(clients.command('test <id>').description(DESCRIPTION).summary('Requests a token as the client would.'))
    .option('--scope <scopes>', 'scopes to request, space-separated')
    .option('--resource <identifier>', 'resource server to request a token for; repeatable', repeated)
    .option('--key <file>', 'file with the private JWK of a client that uses private_key_jwt')
    .option('--token <file>', 'file with the token of its platform, or - for standard input')
    .option('--secret-stdin', 'read the secret from standard input')
    .addOption(
      new Option(
        '--auth-method <method>',
        'how the secret or the token is sent (default: client_secret_basic, or by the token)',
      ).choices(METHODS),
    )
    .action(testClient)
}

async function testClient(id: string, options: TestOptions): Promise<void> {
  const exchange = openServer(options)
  const { issuer } = accept(await exchange({ method: 'GET', path: '/.well-known/oauth-authorization-server' }))
  if (typeof issuer !== 'string') malformed('issuer is not a string')
  const [method, credentials] = await credentialsOf(id, issuer, options)
  const { access_token, ...response } = await requestToken(exchange, method, credentials, options)
  if (typeof access_token !== 'string') malformed('access_token is not a string')
  const jwks = accept(await exchange({ method: 'GET', path: '/.well-known/jwks.json' }))
  const { protectedHeader, payload } = await verify(access_token, jwks, issuer)
  if (options.json) printJson({ ...response, header: protectedHeader, claims: payload })
  else show(response, protectedHeader, payload)
}

/** Returns the method by which the client authenticates, and what it sends for that. */
async function credentialsOf(
  id: string,
  issuer: string,
  options: TestOptions,
): Promise<readonly [method: string, Credentials]> {
  const { key, token: file, authMethod } = options
  if (file !== undefined) {
    const token = await readWorkloadToken(file)
    const method = isWorkloadMethod(authMethod) ? authMethod : usualMethod(token)
    return [method, { form: workloadForm(id, token, method) }]
  }
  if (isWorkloadMethod(authMethod)) throw new CliError('usage', `${authMethod} needs --token FILE`)
  if (key !== undefined) return ['private_key_jwt', await keyCredentials(id, key, issuer)]
  const method = authMethod ?? SECRET_METHODS[0]
  return [method, secretCredentials(id, await readSecret(options), method)]
}

async function requestToken(
  exchange: Exchange,
  method: string,
  credentials: Credentials,
  options: TestOptions,
): Promise<Members> {
  const { scope, resource = [] } = options
  const form = new URLSearchParams({ grant_type: 'client_credentials', ...credentials.form })
  if (scope !== undefined) form.set('scope', scope)
  for (const each of resource) form.append('resource', each)
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded', ...credentials.headers }
  const answer = await exchange({ method: 'POST', path: '/token', headers, body: form.toString() })
  try {
    return accept(answer)
  } catch (error) {
    if (!(error instanceof CliError) || answer.body['error'] !== 'invalid_client') throw error
    const proof = method === 'private_key_jwt' ? 'key' : 'secret'
    const hint = isWorkloadMethod(method)
      ? "The server's audit log has the reason, and clients trust ID --explain FILE says more."
      : `Are the id and the ${proof} right, and is ${method} its method?`
    throw new CliError('refused', `${error.message} ${hint}`)
  }
}

async function verify(token: string, jwks: Members, issuer: string): Promise<JWTVerifyResult> {
  try {
    return await jwtVerify(token, createLocalJWKSet(jwks as unknown as JSONWebKeySet), { issuer })
  } catch (error) {
    const problem = error instanceof Error ? error.message : error
    throw new CliError('refused', `the token cannot be verified: ${problem}`)
  }
}

function show(response: Members, header: object, claims: JWTPayload): void {
  const times = ['iat', 'nbf', 'exp'].filter((name) => name in claims).map((name) => [name, instant(claims[name])])
  print('The token is valid: signature, issuer and time.')
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
