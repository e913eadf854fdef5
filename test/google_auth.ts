/**
 * Proves that google-auth of Python gets tokens with a token file of its platform: `npm run test:google-auth`. It needs python3 and
 * PyPI, so it is outside the gate.
 */

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { makePair, signToken, TOKEN_EXCHANGE } from './support/federation.ts'
import { operate, startIssuer, startWorker } from './support/issuer.ts'
import type { Running } from './support/process.ts'

const PACKAGES = ['google-auth==2.63.0', 'requests']
const IDP = 'https://issuer.example'
const API = 'https://api.example'
const COMMANDS = ['wrangler dev', 'deno run --allow-all src/index.ts', 'bun run src/index.ts', 'node src/index.ts']

const folder = mkdtempSync(join(tmpdir(), 'edgemint-google-auth-'))
const pair = await makePair('RS256', 'one')

function installPython(): string {
  const python = join(folder, 'venv', 'bin', 'python')
  execFileSync('python3', ['-m', 'venv', join(folder, 'venv')], { stdio: 'inherit' })
  execFileSync(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...PACKAGES], {
    stdio: 'inherit',
  })
  return python
}

async function start(command: string): Promise<Running> {
  const isWorker = command === 'wrangler dev'
  const [server] = isWorker
    ? await startWorker()
    : await startIssuer([command], `sqlite:${join(folder, command.replaceAll(/\W+/g, '-'))}.db`)
  assert.ok(server !== undefined)
  return server
}

/** Trusts the issuer, and creates clients and a resource server, over HTTP. */
async function setUp(server: Running): Promise<void> {
  await operate(server, 'PUT', `/issuers/${encodeURIComponent(IDP)}`, { jwks: { keys: [pair.publicJwk] } })
  await operate(server, 'PUT', `/resources/${encodeURIComponent(API)}`, {})
  for (const client_id of ['deployer', 'job']) {
    await operate(server, 'PUT', `/register/${client_id}`, {
      token_endpoint_auth_method: 'federated_jwt',
      grant_types: [TOKEN_EXCHANGE],
      scope: 'read write',
      default_scope: 'read',
      resources: [API],
    })
    await operate(server, 'POST', `/register/${client_id}/federated_credentials`, {
      issuer: IDP,
      claims: { sub: 'job' },
    })
  }
}

interface Attempt {
  readonly name: string
  /** Members of the credential file besides those that all have. */
  readonly more?: Readonly<Record<string, unknown>>
  readonly scopes?: readonly string[]
  readonly claims?: object
  readonly isJson?: true
  /** The claims of the token, or the text of the error. */
  readonly expect: { readonly sub: string; readonly aud: string; readonly scope: string } | string
}

const deployer = { client_id: 'deployer' }
const refused = 'Error code invalid_client: Client authentication failed.'

const ATTEMPTS: readonly Attempt[] = [
  {
    name: 'the client as client_id, without a secret',
    more: deployer,
    scopes: ['read', 'write'],
    expect: { sub: 'deployer', aud: API, scope: 'read write' },
  },
  { name: 'no scope', more: deployer, expect: { sub: 'deployer', aud: API, scope: 'read' } },
  {
    name: 'an empty audience',
    more: { ...deployer, audience: '' },
    expect: { sub: 'deployer', aud: 'the issuer', scope: 'read' },
  },
  { name: 'no client_id, and a client of the name of the sub', expect: { sub: 'job', aud: API, scope: 'read' } },
  {
    name: 'an ID token in a JSON file',
    more: { ...deployer, subject_token_type: 'urn:ietf:params:oauth:token-type:id_token' },
    isJson: true,
    expect: { sub: 'deployer', aud: API, scope: 'read' },
  },
  { name: 'a token of another job', more: deployer, claims: { sub: 'other' }, expect: refused },
  { name: 'an expired token', more: deployer, claims: { exp: 1 }, expect: refused },
  { name: 'a client_secret', more: { ...deployer, client_secret: 'x' }, expect: refused },
  {
    name: 'an unknown audience',
    more: { ...deployer, audience: 'https://other.example' },
    expect: 'Error code invalid_target: The client may not request tokens for this resource.',
  },
  {
    name: 'a scope that the client may not have',
    more: deployer,
    scopes: ['https://www.googleapis.com/auth/cloud-platform'],
    expect: 'Error code invalid_scope: ',
  },
  {
    name: 'a type that is not supported',
    more: { ...deployer, subject_token_type: 'urn:ietf:params:oauth:token-type:saml2' },
    expect: 'Error code invalid_request: ',
  },
]

/** Writes the token file and the credential file of an attempt; returns the path of the second. */
async function writeFiles({ origin }: Running, { more, claims, isJson }: Attempt, index: number): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  const all = { iss: IDP, sub: 'job', aud: origin, iat: now, exp: now + 300, ...claims }
  const token = await signToken({ alg: 'RS256', kid: 'one', typ: 'JWT' }, all, pair.privateKey)
  const file = join(folder, `token-${index}`)
  writeFileSync(file, isJson ? JSON.stringify({ id_token: token }) : token)
  const format = isJson && { format: { type: 'json', subject_token_field_name: 'id_token' } }
  const credentials = join(folder, `credentials-${index}.json`)
  const members = {
    type: 'external_account',
    audience: API,
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: `${origin}/token`,
    credential_source: { file, ...format },
    ...more,
  }
  writeFileSync(credentials, JSON.stringify(members))
  return credentials
}

async function prove(server: Running, python: string): Promise<void> {
  await setUp(server)
  const keys = createRemoteJWKSet(new URL(`${server.origin}/.well-known/jwks.json`))
  const files = await Promise.all(ATTEMPTS.map((attempt, index) => writeFiles(server, attempt, index)))
  const input = ATTEMPTS.map(({ scopes }, index) => JSON.stringify({ file: files[index], scopes })).join('\n')
  const lines = execFileSync(python, ['test/support/google_auth.py'], { input, encoding: 'utf8' }).trim().split('\n')
  assert.equal(lines.length, ATTEMPTS.length)
  for (const [index, { name, expect }] of ATTEMPTS.entries()) {
    const { token, valid, error, text, module } = JSON.parse(lines[index] ?? '')
    assert.equal(module, 'google.auth.identity_pool')
    if (typeof expect === 'string') {
      console.log(`  ${name}: ${error}: ${text}`)
      assert.deepEqual([error, String(text).startsWith(expect)], ['OAuthError', true])
      continue
    }
    const { payload } = await jwtVerify(token, keys, { issuer: server.origin, typ: 'at+jwt' })
    const { sub, scope } = payload
    const aud = payload.aud === server.origin ? 'the issuer' : payload.aud
    console.log(`  ${name}: valid=${valid} ${JSON.stringify({ sub, aud, scope })}`)
    assert.deepEqual([valid, sub, aud, scope], [true, expect.sub, expect.aud, expect.scope])
  }
}

const python = installPython()
for (const command of COMMANDS) {
  console.log(command)
  const server = await start(command)
  try {
    await prove(server, python)
  } catch (error) {
    process.exitCode = 1
    console.error(error, server.output())
  } finally {
    await server.stop()
  }
}
rmSync(folder, { recursive: true, force: true })
