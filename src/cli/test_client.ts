/** `edgemint clients test`: requests a token as the client would, and shows it decoded and verified. */

import { type Command, Option } from 'commander'
import { createLocalJWKSet, type JSONWebKeySet, type JWTPayload, type JWTVerifyResult, jwtVerify } from 'jose'
import { accept } from './api.ts'
import { repeated } from './arguments.ts'
import { readSecret } from './ask.ts'
import { type Credentials, keyCredentials, SECRET_METHODS, secretCredentials } from './client_credentials.ts'
import { CliError } from './errors.ts'
import { type Exchange, type Members, malformed, openServer, type ServerOptions, withServer } from './http.ts'
import { instant, print, printJson, printMembers } from './output.ts'

interface TestOptions extends ServerOptions {
  readonly scope?: string
  readonly resource?: string[]
  readonly key?: string
  readonly secretStdin?: boolean
  readonly authMethod: (typeof SECRET_METHODS)[number]
}

const DESCRIPTION = `Requests a token as the client would, and shows it decoded and verified against the JWK Set of the server.

The secret is read from EDGEMINT_CLIENT_SECRET, or prompted for. The operator's token is not needed. The token itself
is not printed.`

export function addTest(clients: Command): void {
  withServer(clients.command('test <id>').description(DESCRIPTION).summary('Requests a token as the client would.'))
    .option('--scope <scopes>', 'scopes to request, space-separated')
    .option('--resource <identifier>', 'resource server to request a token for; repeatable', repeated)
    .option('--key <file>', 'file with the private JWK of a client that uses private_key_jwt')
    .option('--secret-stdin', 'read the secret from standard input')
    .addOption(
      new Option('--auth-method <method>', 'how the secret is sent').choices(SECRET_METHODS).default(SECRET_METHODS[0]),
    )
    .action(testClient)
}

async function testClient(id: string, options: TestOptions): Promise<void> {
  const exchange = openServer(options)
  const { issuer } = accept(await exchange({ method: 'GET', path: '/.well-known/oauth-authorization-server' }))
  if (typeof issuer !== 'string') malformed('issuer is not a string')
  const { key, authMethod } = options
  const credentials =
    key === undefined
      ? secretCredentials(id, await readSecret(options), authMethod)
      : await keyCredentials(id, key, issuer)
  const { access_token, ...response } = await requestToken(exchange, credentials, options)
  if (typeof access_token !== 'string') malformed('access_token is not a string')
  const jwks = accept(await exchange({ method: 'GET', path: '/.well-known/jwks.json' }))
  const { protectedHeader, payload } = await verify(access_token, jwks, issuer)
  if (options.json) printJson({ ...response, header: protectedHeader, claims: payload })
  else show(response, protectedHeader, payload)
}

async function requestToken(exchange: Exchange, credentials: Credentials, options: TestOptions): Promise<Members> {
  const { scope, resource = [], key, authMethod } = options
  const form = new URLSearchParams({ grant_type: 'client_credentials', ...credentials.form })
  if (scope !== undefined) form.set('scope', scope)
  for (const each of resource) form.append('resource', each)
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded', ...credentials.headers }
  const answer = await exchange({ method: 'POST', path: '/token', headers, body: form.toString() })
  try {
    return accept(answer)
  } catch (error) {
    if (!(error instanceof CliError) || answer.body['error'] !== 'invalid_client') throw error
    const method = key === undefined ? authMethod : 'private_key_jwt'
    const hint = `Are the id and the ${key === undefined ? 'secret' : 'key'} right, and is ${method} its method?`
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
