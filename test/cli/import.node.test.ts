import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { text } from 'node:stream/consumers'
import { after } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { describe, test } from '#test'
import { folder, operate, startOperated, TOKEN, works } from '../support/operated_server.ts'
import type { Running } from '../support/process.ts'

const commandsOf = (server: Running) => {
  const run = (...words: string[]) => operate(server, ...words)
  const jsonThat =
    (expected: number) =>
    async (...words: string[]) => {
      const { code, stdout, stderr } = await run(...words, '--json')
      assert.equal(code, expected, stderr)
      return JSON.parse(stdout)
    }
  return { run, json: jsonThat(0), refusedJson: jsonThat(1) }
}

/** Runs a command with a terminal as its standard streams. `stdout` is everything that it prints. */
function inTerminal({ origin }: Running, words: readonly string[]) {
  const command = ['node', 'src/cli/edgemint.ts', ...words].join(' ')
  const env = { ...process.env, EDGEMINT_URL: origin, EDGEMINT_TOKEN: TOKEN, COLUMNS: '200' }
  return spawnSync('script', ['--quiet', '--return', '--command', command, '/dev/null'], { encoding: 'utf8', env })
}

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
  const server = startOperated()
  after(async () => (await server).stop())
  const write = (name: string, text: string) => {
    const file = join(folder, name)
    writeFileSync(file, text)
    return file
  }

  test('imports from Hydra: a dry run, the import, and a second import that changes nothing', async () => {
    const running = await server
    const { json, refusedJson } = commandsOf(running)
    const file = write('hydra.json', JSON.stringify({ items: hydra }))
    const report = join(folder, 'report.jsonl')
    writeFileSync(report, 'an older report', { mode: 0o644 })
    const words = ['clients', 'import', file, '--from', 'hydra', '--yes']
    const dry = await refusedJson(...words, '--dry-run')
    assert.deepEqual([dry.dry_run, dry.total, dry.would_create, dry.created, dry.refused], [true, 9, 3, undefined, 6])
    assert.deepEqual(await json('clients', 'list'), [])
    const first = await refusedJson(...words, '--report', report)
    assert.deepEqual([first.created, first.refused], [2, 7])
    assert.equal(statSync(report).mode & 0o777, 0o600)
    const lines = readFileSync(report, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.deepEqual(lines.map(({ row }) => row).sort(), [1, 2, 3, 4, 5, 6, 7, 8, 9])
    const lineOf = (id: string) => lines.find(({ client_id }) => client_id === id)
    const detailOf = (id: string) => lineOf(id)?.detail
    assert.match(detailOf('h1'), /refresh_token left out.*api left out/)
    assert.match(detailOf('h1'), /the resource https:\/\/rs\.example is not registered yet/)
    assert.match(detailOf('h6'), /invalid_client_metadata: scope/)
    assert.equal(lineOf('h7').row, 8)
    assert.ok(!readFileSync(report, 'utf8').includes('$2a$'))
    const { access_token_lifetime, resources } = await json('clients', 'show', 'h1')
    assert.deepEqual([access_token_lifetime, resources], [5400, ['https://rs.example']])
    for (const id of ['h1', 'h2']) assert.ok(await works(running, id, 'foobar'))
    const before = await json('clients', 'list')
    const second = await refusedJson(...words)
    assert.deepEqual([second.created, second.same, second.refused], [undefined, 2, 7])
    assert.deepEqual(await json('clients', 'list'), before)
  })

  test('leaves an existing client that differs unchanged unless --overwrite is given', async () => {
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

  test('imports clients from fosite as Go serializes them, with rotated secrets', async () => {
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

  test('a dry run reports refusals and what would happen for each row', async () => {
    const { run, json } = commandsOf(await server)
    await json('resources', 'create', 'https://known.example')
    const rows = [
      { client_id: 'r1', client_secret: BCRYPT, grant_types, audience: ['https://known.example'] },
      { client_id: 'r2', client_secret: BCRYPT.replace('$10$', '$16$'), grant_types },
      { client_id: 'r3', client_secret: PBKDF2.replace('i=25000', 'i=600000'), grant_types },
      { identifier: 'r4', client_secret: BCRYPT, grant_types },
    ]
    const file = write('rows.jsonl', rows.map((row) => JSON.stringify(row)).join('\n'))
    const { code, stdout, stderr } = await run('clients', 'import', file, '--from', 'hydra', '--dry-run')
    assert.equal(code, 1)
    assert.match(stdout, /^2 +r2 +refused +a secret is a bcrypt hash of cost 16; the cost must be 4 to 15 *$/m)
    assert.match(
      stdout,
      /^3 +r3 +refused +a secret is a pbkdf2-sha256 hash of 600000 iterations; at most 100000 are accepted *$/m,
    )
    assert.match(stdout, /^4 +refused +its client_id is missing or not a string$/m)
    assert.match(stdout, /^\ndry run +total +would create +refused\ntrue +4 +1 +3$/m)
    assert.doesNotMatch(stdout, /known\.example/)
    assert.equal(stderr, 'edgemint: 3 of 4 clients would be refused\n')
  })

  test('imports rows of the table hydra_client, of Hydra 2 and 1, with rotated secrets and lifespans', async () => {
    const running = await server
    const { json } = commandsOf(running)
    const two = {
      id: 'row-2',
      nid: 'a4f8b9c1-0000-4000-8000-000000000000',
      client_name: 'Two',
      client_secret: BCRYPT,
      rotated_secrets: JSON.stringify([PBKDF2]),
      grant_types,
      scope: 'read',
      audience: ['https://known.example'],
      contacts: [],
      jwks: '{"keys":null}',
      jwks_uri: '',
      metadata: '{}',
      token_endpoint_auth_method: 'client_secret_post',
      client_credentials_grant_access_token_lifespan: 5_400_000_000_000,
      authorization_code_grant_access_token_lifespan: null,
      created_at: '2024-01-01T00:00:00',
    }
    const one = {
      id: 'row-1',
      client_secret: BCRYPT,
      grant_types: 'client_credentials|refresh_token',
      audience: 'https://known.example|https://b.example',
      contacts: '',
      jwks: '',
      scope: 'read',
    }
    const file = write('table.jsonl', [two, one].map((row) => JSON.stringify(row)).join('\n'))
    const { created, details } = await json('clients', 'import', file, '--from', 'hydra', '--yes')
    assert.equal(created, 2)
    assert.ok(details.some(({ detail }: { detail: string }) => /grant refresh_token left out/.test(detail)))
    const second = await json('clients', 'show', 'row-2')
    assert.deepEqual([second.access_token_lifetime, second.client_secrets.length, second.jwks], [5400, 2, undefined])
    const first = await json('clients', 'show', 'row-1')
    assert.deepEqual(first.resources, ['https://known.example', 'https://b.example'])
    for (const id of ['row-1', 'row-2']) assert.ok(await works(running, id, 'foobar'), id)
  })

  test('refuses a row that is nested too deeply, and imports the others', async () => {
    const { refusedJson } = commandsOf(await server)
    const deep = '['.repeat(20_000) + ']'.repeat(20_000)
    const rows = [
      `{"client_id":"deep","claims":{"a":${deep}}}`,
      JSON.stringify({ ...(hydra[1] as object), client_id: 'flat' }),
    ]
    for (const [name, text] of [
      ['deep.json', `[${rows.join(',')}]`],
      ['deep.jsonl', rows.join('\n')],
    ] as const) {
      const { total, refused, details } = await refusedJson(
        'clients',
        'import',
        write(name, text),
        '--from',
        'hydra',
        '--yes',
      )
      assert.deepEqual([total, refused], [2, 1])
      assert.deepEqual(details[0], {
        row: 1,
        client_id: '',
        outcome: 'refused',
        detail: 'it has more than 2500 levels',
      })
    }
  })

  test('refuses an invalid client_id in every format', async () => {
    const { refusedJson } = commandsOf(await server)
    const ids = ['', 'a\nb', '\ud800', 7, null, ['x'], 'x'.repeat(257)]
    const file = write('ids.json', JSON.stringify(ids.map((id) => ({ client_id: id, id, grant_types }))))
    for (const format of ['hydra', 'fosite', 'edgemint']) {
      const { total, refused } = await refusedJson('clients', 'import', file, '--from', format, '--yes')
      assert.deepEqual([total, refused], [ids.length, ids.length], format)
    }
  })

  test('refuses . and .. as client_id, which no URL can contain, also in a dry run', async () => {
    const { refusedJson } = commandsOf(await server)
    const rows = ['.', '..', '%2e%2e'].map((id) => ({ client_id: id, id, client_secret: BCRYPT, grant_types }))
    const file = write('dots.json', JSON.stringify(rows))
    for (const format of ['hydra', 'fosite', 'edgemint']) {
      const { would_create, refused, details } = await refusedJson(
        ...['clients', 'import', file, '--from', format, '--dry-run'],
      )
      assert.deepEqual([would_create, refused, details[0].client_id], [1, 2, '.'], format)
      assert.match(details[1].detail, /is \.\., which no URL can contain$/)
    }
  })

  test('refuses a scope of the wrong type, and survives members of other wrong types', async () => {
    const { refusedJson } = commandsOf(await server)
    const odd = { toString: 'x' }
    const base = { client_secret: BCRYPT, grant_types }
    const hydraRows = [odd, ['a', 'b'], 7].map((scope, index) => ({ ...base, client_id: `scope-${index}`, scope }))
    const others = [
      { ...base, client_id: 'other-1', scope: null, client_credentials_grant_access_token_lifespan: odd },
      { grant_types, client_id: 'other-2', token_endpoint_auth_method: odd },
    ]
    const fositeRows = [odd, 'a b', ['a', odd]].map((scopes, index) => ({ ...base, id: `scopes-${index}`, scopes }))
    const edgemintRows = [{ client_id: 'edgemint-1', resources: [odd] }]
    for (const [format, rows, created, detail] of [
      ['hydra', [...hydraRows, ...others], 1, 'its scope is of the wrong type'],
      ['fosite', fositeRows, 1, 'its scope is of the wrong type'],
      ['edgemint', edgemintRows, undefined, /invalid_client_metadata: resources/],
    ] as const) {
      const file = write('types.json', JSON.stringify(rows))
      const ended = await refusedJson('clients', 'import', file, '--from', format, '--yes')
      assert.deepEqual([ended.total, ended.created], [rows.length, created], format)
      assert.match(ended.details[0].detail, new RegExp(detail))
    }
  })

  test('reports a lifetime that is shortened or left out', async () => {
    const { json } = commandsOf(await server)
    const lifespan = 'client_credentials_grant_access_token_lifespan'
    const cases = [
      ['500ms', undefined, 'lifetime 500ms left out, it is shorter than a second'],
      ['1m0.5s', 60, 'lifetime 1m0.5s shortened to 60s'],
      [90_500_000_000, 90, 'lifetime 90500000000ns shortened to 90s'],
      ['soon', undefined, 'lifetime left out, it is not a duration'],
      ['0s', undefined, 'lifetime 0s left out, it is shorter than a second'],
      ['-1h', undefined, 'lifetime left out, it is not a duration'],
      ['1.5h', 5400, undefined],
      ['1h0m0.3s700ms', 3601, undefined],
      ['', undefined, undefined],
    ] as const
    const rows = cases.map(([value], index) => ({
      ...{ client_id: `life-${index}`, client_secret: BCRYPT, grant_types },
      [lifespan]: value,
    }))
    const file = write('lifetimes.json', JSON.stringify(rows))
    const { created, details } = await json('clients', 'import', file, '--from', 'hydra', '--yes')
    assert.equal(created, rows.length)
    for (const [index, [, seconds, detail]] of cases.entries()) {
      const { access_token_lifetime } = await json('clients', 'show', `life-${index}`)
      const line = details.find(({ row }: { row: number }) => row === index + 1)
      assert.deepEqual([access_token_lifetime, line?.detail], [seconds, detail])
    }
  })

  const one = `{"client_id":"t1","client_secret":${JSON.stringify(BCRYPT)},"grant_types":["client_credentials"]}`
  const broken: readonly (readonly [name: string, file: () => string, message: RegExp])[] = [
    ['missing', () => join(folder, 'nothing'), /ENOENT/],
    ['a folder', () => folder, /EISDIR/],
    ['empty', () => write('empty.json', ''), /does not begin with \[ or \{/],
    ['not JSON', () => write('text.json', '# edgemint'), /does not begin with \[ or \{/],
    ['malformed', () => write('malformed.json', '[nonsense'), /malformed\.json, after row 0: /],
    ['truncated', () => write('truncated.json', `[${one},{"client_id":"t`), /truncated\.json, after row 1: /],
    [
      'an object without items',
      () => write('other.json', `{"foo":1,\n"clients":[${one}]}`),
      /contains no clients: .*"items"/,
    ],
    ['an empty list', () => write('none.json', '[]'), /contains no clients/],
    [
      'JSON lines with a long first one',
      () => write('long.jsonl', `{"client_id":"${'x'.repeat(256 * 1024)}"}\n${one}`),
      /long\.jsonl, after row 0: .*; the first of JSON lines must be shorter than 262144 bytes/,
    ],
    ['broken lines', () => write('broken.jsonl', `${one}\n{`), /broken\.jsonl, after row 1: /],
  ]
  for (const [name, file, message] of broken) {
    test(`a file that is ${name} ends with exit code 2 and one line, also in a terminal`, async () => {
      const running = await server
      const words = ['clients', 'import', file(), '--from', 'hydra', '--yes']
      const { code, stderr } = await operate(running, ...words)
      assert.equal(code, 2)
      assert.match(stderr, message)
      assert.equal(stderr.trim().split('\n').length, 1)
      const typed = inTerminal(running, words)
      assert.equal(typed.status, 2, typed.stdout)
      assert.match(typed.stdout, message)
    })
  }

  test('opens the file before it asks for confirmation', async () => {
    const { code, stderr } = await operate(await server, 'clients', 'import', join(folder, 'no'), '--from', 'hydra')
    assert.equal(code, 2)
    assert.match(stderr, /ENOENT/)
    assert.doesNotMatch(stderr, /--yes/)
  })

  test('fills and then clears the progress bar in a terminal', async () => {
    const rows = Array.from({ length: 300 }, (_, index) => ({ ...(hydra[1] as object), client_id: `bar-${index}` }))
    const file = write('bar.json', JSON.stringify(rows))
    const { status, stdout } = inTerminal(await server, ['clients', 'import', file, '--from', 'hydra', '--yes'])
    assert.equal(status, 0, stdout)
    assert.ok(stdout.includes(`[${'#'.repeat(30)}] 300 clients`), stdout)
  })

  test('on SIGINT completes pending requests, prints the summary and ends with exit code 130', async () => {
    const { origin } = await server
    const rows = Array.from({ length: 20_000 }, (_, index) => ({ ...(hydra[1] as object), client_id: `int-${index}` }))
    const file = write('interrupted.json', JSON.stringify(rows))
    const report = join(folder, 'interrupted.jsonl')
    const words = ['src/cli/edgemint.ts', 'clients', 'import', file, '--from', 'hydra', '--yes', '--report', report]
    const env = { ...process.env, EDGEMINT_URL: origin, EDGEMINT_TOKEN: TOKEN }
    const child = spawn('node', words, { env })
    const ended = Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)])
    while (!existsSync(report) || statSync(report).size === 0) await setTimeout(20)
    child.kill('SIGINT')
    const [[code], stdout, stderr] = await ended
    assert.deepEqual([code, stderr], [130, 'edgemint: interrupted; the import can be run again\n'])
    const [, total] = /^total +created\n(\d+)/m.exec(stdout) ?? []
    assert.equal(readFileSync(report, 'utf8').trim().split('\n').length, Number(total))
    assert.ok(Number(total) < 20_000)
  })

  test(`${process.env['IMPORT_CLIENTS'] ?? 2000} clients are imported in memory that does not grow with them`, async () => {
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
  })
})
