import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after } from 'node:test'
import { exportJWK } from 'jose'
import { describe, test } from '#test'
import { edgemint } from '../support/cli.ts'
import { CACHE_SECONDS, folder, operate, privateKey, startOperated, TOKEN, works } from '../support/operated_server.ts'
import { type Running, startServer } from '../support/process.ts'

/** The settings of a Worker are bindings, so they are written to a file. */
async function startWorker(): Promise<Running> {
  const file = join(folder, 'worker.vars')
  const keys = JSON.stringify({ keys: [await exportJWK(privateKey)] })
  return startServer((port) => {
    const lines = [
      `ISSUER=http://localhost:${port}`,
      `SIGNING_KEYS='${keys}'`,
      `REGISTRATION_TOKEN=${TOKEN}`,
      `CACHE_SECONDS=${CACHE_SECONDS}`,
    ]
    writeFileSync(file, lines.join('\n'))
    return { command: `npx wrangler dev --port ${port} --persist-to ${folder} --env-file ${file}` }
  })
}

const commandsOf = (server: Running) => {
  const run = (...words: string[]) => operate(server, ...words)
  const json = async (...words: string[]) => {
    const { code, stdout, stderr } = await run(...words, '--json')
    assert.equal(code, 0, stderr)
    return JSON.parse(stdout)
  }
  return { run, json }
}

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** Waits until the condition holds, at most for the documented time. */
async function becomes(expected: boolean, seconds: number, question: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + seconds * 1000; (await question()) !== expected; await sleep(100)) {
    assert.ok(Date.now() < deadline, `not within ${seconds} s`)
  }
}

/** Starts from an empty store and ends with a disabled client. */
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

describe('the first steps with the command line', () => {
  for (const [name, begin] of [
    ['deno', () => startOperated('deno run --allow-all --unstable-kv src/index.ts')],
    ['bun', () => startOperated('bun run src/index.ts')],
    ['node', () => startOperated()],
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
  const server = startOperated()
  after(async () => (await server).stop())

  test('every command prints its result and its refusal', async () => {
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
    assert.match((await run('clients', 'list')).stdout, /client_id.*\n.*svc .*read write .*active/)
    const { client_secrets } = await json('clients', 'show', 'svc')
    assert.equal((await run('clients', 'revoke-secret', 'svc', client_secrets[0].id)).code, 2)
    await json('clients', 'revoke-secret', 'svc', client_secrets[0].id, '--yes')
    assert.deepEqual((await json('clients', 'show', 'svc')).client_secrets, [])
    assert.equal((await run('clients', 'revoke-tokens', 'svc')).code, 2)
    assert.equal((await json('clients', 'revoke-tokens', 'svc', '--yes')).client_id, 'svc')
    assert.match(
      (await run('clients', 'revoke-tokens', '--yes')).stdout,
      /^tokens of all clients issued until .* are revoked/,
    )
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

  test('revoke-tokens refuses an empty id and an unknown id', async () => {
    const { run } = commandsOf(await server)
    const empty = await run('clients', 'revoke-tokens', '', '--yes')
    assert.deepEqual([empty.code, empty.stdout], [2, ''])
    assert.match(empty.stderr, /It must not be empty/)
    const unknown = await run('clients', 'revoke-tokens', 'mistyped', '--yes')
    assert.deepEqual(unknown, { code: 1, stdout: '', stderr: 'edgemint: not_found: There is no such client.\n' })
  })

  test('prints instants as ISO 8601 or never, and update replaces a list', async () => {
    const { run, json } = commandsOf(await server)
    const made = await run('clients', 'create', '--resource', 'https://a.example', '--resource', 'https://b.example')
    assert.match(made.stdout, /client_id_issued_at +\d{4}-.*Z/)
    assert.match(made.stdout, /client_secret_expires_at +never/)
    assert.match(made.stdout, /secret id .*expires *\n.* never *$/m)
    assert.match(made.stderr, /^Shown only once: client_secret, registration_access_token\.$/m)
    const [, id = ''] = /client_id +(\S+)/.exec(made.stdout) ?? []
    assert.deepEqual((await json('clients', 'update', id, '--resource', 'https://c.example')).resources, [
      'https://c.example',
    ])
  })

  test('update keeps the members of token_exchange that no option names', async () => {
    const { json } = commandsOf(await server)
    const file = join(folder, 'exchange.json')
    writeFileSync(file, '{"token_exchange":{"may_widen":"read"}}')
    const { client_id } = await json('clients', 'create', '--metadata', file, '--may-act', 'orders')
    const { token_exchange } = await json('clients', 'update', client_id, '--exchange-as', 'https://a.example')
    assert.deepEqual(token_exchange, { may_widen: 'read', may_act: 'orders', as: ['https://a.example'] })
    const cleared = await json('clients', 'update', client_id, '--impersonation', '--clear', 'token_exchange')
    assert.deepEqual(cleared.token_exchange, { impersonation: true })
  })

  test('refuses claims and metadata that are nested too deeply, with exit code 2 and one sentence', async () => {
    const { run } = commandsOf(await server)
    const deep = `{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}`
    const file = join(folder, 'deep.json')
    writeFileSync(file, deep)
    for (const words of [
      ['--claims', deep],
      ['--metadata', file],
    ]) {
      const { code, stdout, stderr } = await run('clients', 'create', ...words)
      assert.deepEqual([code, stdout], [2, ''])
      assert.match(stderr, /It must not have more than 32 levels of objects and lists\./)
    }
  })

  test('--json prints an error as one line of JSON', async () => {
    const running = await server
    for (const [words, error, exit_code] of [
      [['clients', 'show', 'nothing'], 'refused', 1],
      [['clients', 'show'], 'usage', 2],
      [['clients', 'list', '--url', 'http://tokens.example'], 'usage', 2],
    ] as const) {
      const { code, stdout, stderr } = await operate(running, ...words, '--json')
      assert.deepEqual([code, stdout], [exit_code, ''])
      const { message, ...rest } = JSON.parse(stderr)
      assert.deepEqual(rest, { error, exit_code })
      assert.ok(message.length > 0)
    }
  })

  test('suggests checking EDGEMINT_TOKEN if the server refuses the token', async () => {
    const { origin } = await server
    const { code, stdout, stderr } = await edgemint(['clients', 'list'], {
      EDGEMINT_URL: origin,
      EDGEMINT_TOKEN: 'another-operator-token-another-operator',
    })
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, /^edgemint: invalid_token: .* Is EDGEMINT_TOKEN the REGISTRATION_TOKEN of this server\?\n$/)
  })
})
