import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { exportJWK, exportPKCS8, generateKeyPair } from 'jose'
import * as oauth from 'oauth4webapi'
import { describe, test } from '#test'
import { edgemint } from '../support/cli.ts'
import { freePort, type Running, startServer } from '../support/process.ts'

const folder = mkdtempSync(join(tmpdir(), 'edgemint-'))
const TOKEN = 'operator-token-operator-token-operator'
const CACHE_SECONDS = '1'
const { privateKey } = await generateKeyPair('ES256', { extractable: true })

async function start(command: string, environment: Record<string, string> = {}): Promise<Running> {
  const port = await freePort()
  const settings = { ISSUER: `http://localhost:${port}`, SIGNING_KEYS: await exportPKCS8(privateKey) }
  const more = { PORT: `${port}`, REGISTRATION_TOKEN: TOKEN, CACHE_SECONDS }
  return startServer(command, port, {
    ...settings,
    ...more,
    STORE_URL: `sqlite:${join(folder, `${port}.db`)}`,
    ...environment,
  })
}

/** Settings of a Worker are bindings, so they stand in a file. */
async function startWorker(): Promise<Running> {
  const port = await freePort()
  const file = join(folder, 'worker.vars')
  const keys = JSON.stringify({ keys: [await exportJWK(privateKey)] })
  const lines = [
    `ISSUER=http://localhost:${port}`,
    `SIGNING_KEYS='${keys}'`,
    `REGISTRATION_TOKEN=${TOKEN}`,
    `CACHE_SECONDS=${CACHE_SECONDS}`,
  ]
  writeFileSync(file, lines.join('\n'))
  return startServer(`npx wrangler dev --port ${port} --persist-to ${folder} --env-file ${file}`, port)
}

const commandsOf = ({ origin }: Running) => {
  const environment = { EDGEMINT_URL: origin, EDGEMINT_TOKEN: TOKEN }
  const run = (...words: string[]) => edgemint(words, environment)
  const json = async (...words: string[]) => {
    const { code, stdout, stderr } = await run(...words, '--json')
    assert.equal(code, 0, stderr)
    return JSON.parse(stdout)
  }
  return { run, json }
}

async function works({ origin }: Running, client_id: string, secret: string): Promise<boolean> {
  const server = { issuer: origin, token_endpoint: `${origin}/token` }
  const options = { [oauth.allowInsecureRequests]: true }
  const auth = oauth.ClientSecretPost(secret)
  const response = await oauth.clientCredentialsGrantRequest(server, { client_id }, auth, {}, options)
  return response.status === 200
}

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** Waits until it is so, at most as long as is said that it takes. */
async function becomes(expected: boolean, seconds: number, question: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + seconds * 1000; (await question()) !== expected; await sleep(100)) {
    assert.ok(Date.now() < deadline, `not within ${seconds} s`)
  }
}

/** From nothing to a client that is disabled. */
async function newcomer(server: Running): Promise<void> {
  const { json } = commandsOf(server)
  const { client_id, client_secret: first } = await json(
    'clients',
    'create',
    '--name',
    'Reports',
    '--scope',
    'reports.*',
  )
  assert.ok(await works(server, client_id, first))
  const rotated = await json('clients', 'rotate-secret', client_id, '--keep-old', '4s', '--label', 'second')
  const second = rotated.client_secret
  assert.ok((await works(server, client_id, first)) && (await works(server, client_id, second)))
  await becomes(false, 4 + 2, () => works(server, client_id, first))
  assert.ok(await works(server, client_id, second))
  assert.equal((await json('clients', 'disable', client_id)).disabled, true)
  await becomes(false, Number(CACHE_SECONDS) + 1, () => works(server, client_id, second))
  await json('clients', 'enable', client_id)
  assert.ok(await works(server, client_id, second))
}

describe("a newcomer's path by the command line", () => {
  for (const [name, begin] of [
    ['deno', () => start('deno run --allow-all --unstable-kv src/index.ts')],
    ['bun', () => start('bun run src/index.ts')],
    ['node', () => start('node src/index.ts')],
    ['workerd', startWorker],
  ] as const) {
    test(name, async () => {
      const server = await begin()
      try {
        await newcomer(server)
      } catch (error) {
        throw new Error(server.output().slice(-3000), { cause: error })
      } finally {
        await server.stop()
      }
    })
  }
})

describe('edgemint clients and resources', () => {
  const server = start('node src/index.ts')

  test('every command, its table and its refusal', async () => {
    const { run, json } = commandsOf(await server)
    await json(
      'clients',
      'create',
      '--id',
      'svc',
      '--scope',
      'read',
      '--resource',
      'https://rs.example',
      '--claims',
      '{"team":"a"}',
    )
    assert.deepEqual((await run('clients', 'create', '--id', 'svc')).code, 1)
    const changed = await json('clients', 'update', 'svc', '--scope', 'read write', '--clear', 'claims')
    assert.deepEqual(
      [changed.scope, changed.claims, changed.resources],
      ['read write', undefined, ['https://rs.example']],
    )
    assert.match((await run('clients', 'list')).stdout, /client_id.*\n.*svc .*read write/)
    const { client_secrets } = await json('clients', 'show', 'svc')
    assert.equal((await run('clients', 'revoke-secret', 'svc', client_secrets[0].id)).code, 2)
    await json('clients', 'revoke-secret', 'svc', client_secrets[0].id, '--yes')
    assert.deepEqual((await json('clients', 'show', 'svc')).client_secrets, [])
    assert.equal((await run('clients', 'revoke-tokens', 'svc')).code, 2)
    assert.equal((await json('clients', 'revoke-tokens', 'svc', '--yes')).client_id, 'svc')
    assert.match((await run('clients', 'revoke-tokens', '--yes')).stdout, /^tokens issued until .* are denied/)
    assert.equal((await run('clients', 'delete', 'svc')).code, 2)
    await json('clients', 'delete', 'svc', '--yes')
    const gone = await run('clients', 'show', 'svc')
    assert.deepEqual([gone.code, gone.stderr], [1, 'edgemint: not_found: There is no such client.\n'])
    const refused = await run('clients', 'create', '--default-scope', 'admin')
    assert.match(refused.stderr, /^edgemint: invalid_client_metadata: default_scope: must be within scope/)

    await json('resources', 'create', 'https://rs.example', '--scope', 'read', '--default')
    assert.equal((await run('resources', 'create', 'https://rs.example')).code, 1)
    const updated = await json('resources', 'update', 'https://rs.example', '--lifetime', '60', '--no-default')
    assert.deepEqual(updated, {
      resource: 'https://rs.example',
      scope: 'read',
      access_token_lifetime: 60,
      default: false,
    })
    assert.match((await run('resources', 'list')).stdout, /https:\/\/rs.example/)
    assert.equal((await run('resources', 'delete', 'https://rs.example', '--yes')).code, 0)
    assert.equal((await run('resources', 'show', 'https://rs.example')).code, 1)
  })

  test('what a server says cannot move the cursor', async () => {
    const { run, json } = commandsOf(await server)
    const file = join(folder, 'metadata.json')
    writeFileSync(file, JSON.stringify({ claims: { note: '\u001b[2J\u202e' } }))
    await json('clients', 'create', '--id', 'odd', '--metadata', file)
    const { stdout } = await run('clients', 'show', 'odd')
    assert.ok(stdout.includes('note'))
    for (const character of ['\u001b', '\u202e']) assert.ok(!stdout.includes(character))
  })

  test('no server, a wrong token, no token, a URL without TLS: a line and an exit code', async () => {
    const { origin } = await server
    const words = ['clients', 'list']
    for (const [environment, code, message] of [
      [{ EDGEMINT_URL: 'http://localhost:9', EDGEMINT_TOKEN: TOKEN }, 3, /cannot be reached/],
      [{ EDGEMINT_URL: origin, EDGEMINT_TOKEN: 'wrong' }, 1, /invalid_token/],
      [{ EDGEMINT_URL: origin }, 2, /EDGEMINT_TOKEN is not set/],
      [{ EDGEMINT_URL: 'http://tokens.example', EDGEMINT_TOKEN: TOKEN }, 2, /not an https URL/],
    ] as const) {
      const ended = await edgemint(words, environment)
      assert.deepEqual([ended.code, ended.stdout], [code, ''])
      assert.match(ended.stderr, message)
      assert.equal(ended.stderr.trim().split('\n').length, 1)
    }
    await (await server).stop()
  })
})

describe('edgemint clients import', () => {
  const BCRYPT = '$2a$10$IxMdI6d.LIRZPpSfEwNoeu4rY3FhDREsxFJXikcgdRRAStxUlsuEO'
  const PBKDF2 = '$pbkdf2-sha256$i=25000,l=32$MDEyMzQ1Njc4OWFiY2RlZg$UJMLNFAtnTExyzAJ/ns/egKOEcV+ehIVpkGCh8zHVm4'
  const grant_types = ['client_credentials']
  const hydra = [
    {
      client_id: 'h1',
      client_secret: BCRYPT,
      scope: 'read',
      grant_types: [...grant_types, 'refresh_token'],
      audience: ['https://rs.example', 'api'],
      client_credentials_grant_access_token_lifespan: '1h30m0s',
    },
    { client_id: 'h2', client_secret: PBKDF2, grant_types },
    { client_id: 'h3', client_secret: 'plain text', grant_types },
    { client_id: 'h4', grant_types: ['authorization_code'], token_endpoint_auth_method: 'none' },
    { client_id: 'h5', client_secret: BCRYPT, grant_types: ['authorization_code'] },
    { client_id: 'ünï', client_secret: BCRYPT, grant_types },
    { client_id: 'h6', client_secret: BCRYPT, grant_types, scope: 'a"b' },
    { client_id: 'h7', grant_types },
    7,
  ]
  const server = start('node src/index.ts')
  const write = (name: string, text: string) => {
    const file = join(folder, name)
    writeFileSync(file, text)
    return file
  }

  test('from Hydra: a dry run, the run, and a second run that changes nothing', async () => {
    const running = await server
    const { json } = commandsOf(running)
    const file = write('hydra.json', JSON.stringify({ items: hydra }))
    const report = join(folder, 'report.jsonl')
    const words = ['clients', 'import', file, '--from', 'hydra', '--yes']
    const dry = await json(...words, '--dry-run')
    assert.deepEqual([dry.total, dry.created, dry.refused], [9, 3, 6])
    assert.deepEqual(await json('clients', 'list'), [])
    const first = await json(...words, '--report', report)
    assert.deepEqual([first.created, first.refused], [2, 7])
    const lines = readFileSync(report, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.equal(lines.length, 9)
    const detailOf = (id: string) => lines.find(({ client_id }) => client_id === id)?.detail
    assert.match(detailOf('h1'), /refresh_token left out.*api left out/)
    assert.match(detailOf('h6'), /invalid_client_metadata: scope/)
    assert.ok(!readFileSync(report, 'utf8').includes('$2a$'))
    const { access_token_lifetime, resources } = await json('clients', 'show', 'h1')
    assert.deepEqual([access_token_lifetime, resources], [5400, ['https://rs.example']])
    for (const id of ['h1', 'h2']) assert.ok(await works(running, id, 'foobar'))
    const before = await json('clients', 'list')
    const second = await json(...words)
    assert.deepEqual([second.created, second.same, second.refused], [undefined, 2, 7])
    assert.deepEqual(await json('clients', 'list'), before)
  })

  test('what differs is left alone unless it is to be replaced', async () => {
    const { json } = commandsOf(await server)
    const file = write(
      'lines.jsonl',
      [{ client_id: 'own', scope: 'a', client_secrets: [{ id: '1', hash: BCRYPT }] }]
        .map((each) => JSON.stringify(each))
        .join('\n'),
    )
    const words = ['clients', 'import', file, '--from', 'edgemint', '--yes']
    assert.equal((await json(...words)).created, 1)
    await json('clients', 'update', 'own', '--scope', 'b')
    assert.equal((await json(...words)).differs, 1)
    assert.equal((await json('clients', 'show', 'own')).scope, 'b')
    assert.equal((await json(...words, '--overwrite')).replaced, 1)
    assert.equal((await json('clients', 'show', 'own')).scope, 'a')
  })

  test('from fosite as Go writes it, and rotated secrets', async () => {
    const running = await server
    const { json } = commandsOf(running)
    const fosite = {
      id: 'f1',
      client_secret: btoa(BCRYPT),
      rotated_secrets: [btoa(PBKDF2)],
      scopes: ['read', 'users.*'],
      grant_types,
      public: false,
    }
    const file = write('fosite.json', JSON.stringify([fosite]))
    assert.equal((await json('clients', 'import', file, '--from', 'fosite', '--yes')).created, 1)
    const { scope, client_secrets } = await json('clients', 'show', 'f1')
    assert.deepEqual([scope, client_secrets.length], ['read users.*', 2])
    assert.ok(await works(running, 'f1', 'foobar'))
  })

  test('a file that is none: exit code 2', async () => {
    const { run } = commandsOf(await server)
    for (const file of [write('broken.json', '[{"client_id":"a"},'), join(folder, 'nothing')]) {
      assert.equal((await run('clients', 'import', file, '--from', 'hydra', '--yes')).code, 2)
    }
    assert.equal((await run('clients', 'import', 'x')).code, 2)
  })

  test(`${process.env['IMPORT_CLIENTS'] ?? 2000} clients, in memory that does not grow with them`, async () => {
    const { json, run } = commandsOf(await server)
    const count = Number(process.env['IMPORT_CLIENTS'] ?? 2000)
    const many = Array.from({ length: count }, (_, index) =>
      JSON.stringify({ ...(hydra[1] as object), client_id: `many-${index}` }),
    )
    const file = write('many.json', `[${many.join(',\n')}]`)
    const words = ['clients', 'import', file, '--from', 'hydra', '--yes']
    assert.equal((await json(...words)).created, count)
    assert.equal((await json(...words)).same, count)
    if (count >= 10_000) assert.match((await run(...words)).stderr, /10000 clients/)
    await (await server).stop()
  })
})
