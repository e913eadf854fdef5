import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { text } from 'node:stream/consumers'
import { describe, test } from '#test'
import * as certificates from '../support/certificates.ts'
import { type Ended, edgemint } from '../support/cli.ts'
import { type Answer, type Respond, startHostileServer } from '../support/hostile_server.ts'
import { freePort } from '../support/process.ts'

const server = await startHostileServer()

const TOKEN = 'operator-token-operator-token-operator'
/** A terminal title, a cleared screen, C1, DEL, a bidirectional override, a line separator, a zero-width space, a tag character. */
const ODD = '\u001b]0;owned\u0007\u001b[2J\u009b31m\u007f\u202e\u2028\u200b\u{e0041}\r\nedgemint: deleted'
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u

const secrets = [{ id: ODD, label: ODD, created_at: ODD, expires_at: ODD }]
const client = { client_id: ODD, [ODD]: ODD, claims: { [ODD]: [ODD] }, client_secret: ODD, client_secrets: secrets }
const resource = { resource: ODD, scope: ODD, [ODD]: { [ODD]: ODD }, default: ODD, signing_alg: ODD }

const folder = mkdtempSync(join(tmpdir(), 'edgemint-'))
const file = join(folder, 'clients.json')
writeFileSync(file, JSON.stringify([{ client_id: 'a', scope: ODD }]))

/** Each command that prints a response of the server, with the body of the response. */
const COMMANDS: readonly (readonly [words: readonly string[], body: object])[] = [
  [['clients', 'create'], client],
  [['clients', 'create', '--id', 'a'], client],
  [['clients', 'list'], { clients: [client, { malformed: ODD }] }],
  [['clients', 'show', 'a'], client],
  [['clients', 'update', 'a', '--scope', 'b'], client],
  [['clients', 'rotate-secret', 'a'], { client_secret: ODD, client_secrets: secrets }],
  [['clients', 'revoke-secret', 'a', '1', '--yes'], client],
  [['clients', 'revoke-tokens', 'a', '--yes'], { before: 1, client_id: 'a', [ODD]: ODD }],
  [['clients', 'revoke-tokens', '--yes'], { before: 1, [ODD]: ODD }],
  [['clients', 'disable', 'a'], client],
  [['clients', 'enable', 'a'], client],
  [['clients', 'delete', 'a', '--yes'], client],
  [['clients', 'import', file, '--from', 'edgemint', '--dry-run'], { ...client, resources: [] }],
  [['resources', 'create', 'https://a.example'], resource],
  [['resources', 'update', 'https://a.example'], resource],
  [['resources', 'list'], { resources: [resource] }],
  [['resources', 'show', 'https://a.example'], resource],
  [['resources', 'delete', 'https://a.example', '--yes'], resource],
]

const run = (words: readonly string[], respond: Respond, more: readonly string[] = []): Promise<Ended> =>
  edgemint([...words, '--url', server.serve(respond), ...more], { EDGEMINT_TOKEN: TOKEN })

function assertClean({ stdout, stderr }: Ended): void {
  for (const line of [...stdout.split('\n'), ...stderr.split('\n')]) assert.doesNotMatch(line, UNSEEN)
  assert.doesNotMatch(stdout + stderr, /^edgemint: deleted/m)
  assert.doesNotMatch(stdout + stderr, /^\s+at .*:\d+/m)
  assert.ok(!(stdout + stderr).includes(TOKEN))
}

const printsBody = ([, verb = '']: readonly string[]): boolean => !/^(revoke-secret|delete|import)$/.test(verb)

describe('responses of a hostile server', () => {
  for (const [words, body] of COMMANDS) {
    const name = words.join(' ').replace(file, 'FILE')
    test(`${name} prints no terminal control characters, in tables and JSON`, async () => {
      const [table, json] = await Promise.all([run(words, () => ({ body })), run(words, () => ({ body }), ['--json'])])
      for (const ended of [table, json]) assertClean(ended)
      assert.deepEqual([table.code, json.code], [0, 0], table.stderr + json.stderr)
      const printed = JSON.parse(json.stdout)
      if (words[1] === 'list') assert.deepEqual([printed], Object.values(body))
      else if (printsBody(words)) assert.deepEqual(printed, body)
    })
  }

  test('refusals print no terminal control characters, in text and JSON', async () => {
    const refusal: Answer = { status: 400, body: { error: ODD, error_description: ODD } }
    for (const words of [
      ['clients', 'show', 'a'],
      ['clients', 'revoke-tokens', '--yes'],
      ['resources', 'list'],
    ]) {
      const [text, json] = await Promise.all([run(words, () => refusal), run(words, () => refusal, ['--json'])])
      for (const ended of [text, json]) assertClean(ended)
      assert.deepEqual([text.code, json.code, text.stdout, json.stdout], [1, 1, '', ''])
      assert.match(text.stderr, /^edgemint: .*31m/)
      assert.equal(JSON.parse(json.stderr).message, `${ODD}: ${ODD}`)
    }
  })

  test('refusals in an import print no terminal control characters', async () => {
    const respond: Respond = (_method, path) =>
      path.startsWith('/resources')
        ? { body: { resources: [] } }
        : { status: 400, body: { error: ODD, error_description: ODD } }
    const words = ['clients', 'import', file, '--from', 'edgemint', '--yes']
    const [text, json] = await Promise.all([run(words, respond), run(words, respond, ['--json'])])
    for (const ended of [text, json]) assertClean(ended)
    assert.deepEqual([text.code, json.code], [1, 1])
    assert.equal(JSON.parse(json.stdout).details[0].detail, `${ODD}: ${ODD}`)
  })

  test('an import reports a response that is no JSON or nested too deeply, and goes on', async () => {
    const rows = join(folder, 'three.jsonl')
    writeFileSync(rows, ['a', 'b', 'c'].map((client_id) => JSON.stringify({ client_id })).join('\n'))
    const respond: Respond = (_method, path) => {
      if (path.startsWith('/resources')) return { body: { resources: [] } }
      if (path.endsWith('/a')) return { status: 502, body: '<html>Bad Gateway</html>' }
      return path.endsWith('/b')
        ? { body: `{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}` }
        : { status: 201, body: {} }
    }
    const { code, stdout } = await run(['clients', 'import', rows, '--from', 'edgemint', '--yes'], respond, ['--json'])
    assert.equal(code, 1)
    const { total, created, refused, details } = JSON.parse(stdout)
    assert.deepEqual([total, created, refused], [3, 1, 2])
    const [a, b] = details
    assert.match(a.detail, /is not from an edgemint server: status 502$/)
    assert.match(b.detail, /malformed: it has more than 2500 levels$/)
  })

  test('prints at most 500 characters of each text of a refusal', async () => {
    const refusalOf = (error_description: string) => ({
      status: 400,
      body: { error: 'e'.repeat(501), error_description },
    })
    const respond: Respond = (_method, path) =>
      path.startsWith('/resources') ? { body: { resources: [] } } : refusalOf('d'.repeat(1_000_000))
    const long = `${'e'.repeat(500)}…: ${'d'.repeat(500)}…`
    const shown = await run(['clients', 'show', 'a'], respond)
    assert.deepEqual(shown, { code: 1, stdout: '', stderr: `edgemint: ${long}\n` })
    const imported = await run(['clients', 'import', file, '--from', 'edgemint', '--yes'], respond, ['--json'])
    assert.equal(JSON.parse(imported.stdout).details[0].detail, long)
    const whole = await run(['clients', 'show', 'a'], () => refusalOf('d'.repeat(500)))
    assert.match(whole.stderr, /…: d{500}\n$/)
  })

  test('reports a response that is nested too deeply as malformed, and prints one of the depth that claims can have', async () => {
    const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`
    const bodies: readonly (readonly [words: string, bodyOf: (levels: number) => string])[] = [
      ['clients show a', (levels) => `{"client_id":"a","claims":${nested(levels)}}`],
      ['clients list', (levels) => `{"clients":[{"client_id":"a","scope":${nested(levels)}}]}`],
    ]
    for (const [words, bodyOf] of bodies) {
      for (const more of [[], ['--json']]) {
        const ended = await run(words.split(' '), () => ({ body: bodyOf(20_000) }), more)
        assert.deepEqual([ended.code, ended.stdout], [1, ''])
        assert.match(ended.stderr, /the server's response is malformed: it has more than 2500 levels/)
        assert.equal(ended.stderr.trim().split('\n').length, 1)
        const usual = await run(words.split(' '), () => ({ body: bodyOf(2048) }), more)
        assert.deepEqual([usual.code, usual.stderr], [0, ''])
      }
    }
    const refused = await run(['clients', 'show', 'a'], () => ({ status: 400, body: `{"error":${nested(20_000)}}` }))
    assert.deepEqual([refused.code, refused.stdout], [1, ''])
  })

  const MALFORMED: readonly (readonly [words: string, body: unknown])[] = [
    ...['null', '7', '"text"', '[]', '<html>502 Bad Gateway</html>', '{"a":'].map(
      (body) => ['clients list', body] as const,
    ),
    ['clients list', {}],
    ['clients list', ''],
    ['clients list', { clients: null }],
    ['clients list', { clients: 7 }],
    ['clients list', { clients: [null] }],
    ['clients list', { clients: [], next_cursor: null }],
    ['clients list', { clients: [], next_cursor: '' }],
    ['clients list', { clients: [], next_cursor: { a: 1 } }],
    ['clients list', { clients: [], next_cursor: 'the same' }],
    ['clients list', { clients: [], next_cursor: '\ud800' }],
    ['resources list', { resources: ['https://a.example'] }],
    ['clients show a', { client_secrets: { id: 1 } }],
    ['clients show a', { client_secrets: [null] }],
    ['clients rotate-secret a', { client_secrets: [] }],
    ['clients rotate-secret a', { client_secret: 'b' }],
    ['clients rotate-secret a', { client_secret: 'b', client_secrets: [7] }],
    ['clients revoke-tokens --yes', {}],
    ['clients revoke-tokens --yes', { before: null }],
    ['clients revoke-tokens --yes', '{"before":1e300}'],
    ['clients revoke-tokens --yes', { before: 1, client_id: 'a' }],
    ['clients revoke-tokens a --yes', { before: 1 }],
  ]
  test('a malformed response ends with one line and exit code 1', async () => {
    for (const [words, body] of MALFORMED) {
      const ended = await run(words.split(' '), () => ({ body }))
      const what = `${words}: ${JSON.stringify(body)}`
      assert.equal(ended.code, 1, what)
      assert.match(
        ended.stderr.trim().split('\n').at(-1) ?? '',
        /^edgemint: .*(malformed|is not from an edgemint server)/,
        what,
      )
      assertClean(ended)
    }
  })

  test('prints invalid instants unchanged', async () => {
    const body =
      '{"client_id_issued_at":1e300,"a_at":null,"b_at":-8.64e12,"client_secrets":[{"id":"1","created_at":1e300}]}'
    const ended = await run(['clients', 'show', 'a'], () => ({ body }))
    assert.deepEqual([ended.code, ended.stderr], [0, ''])
    assert.match(ended.stdout, /client_id_issued_at +1e\+300/)
  })

  test('stops reading a list without an end', async () => {
    let pages = 0
    const ended = await run(['clients', 'list'], () => ({ body: { clients: [], next_cursor: `${++pages}` } }))
    assert.deepEqual(ended, {
      code: 1,
      stdout: '',
      stderr: "edgemint: the server's response is malformed: the list has more than 10000 pages or 1000000 records\n",
    })
    assert.equal(pages, 10_000)
  })

  test('stops reading a response without an end', async () => {
    const body = ' '.repeat(64 * 1024 * 1024 + 1)
    const { code, stderr } = await run(['clients', 'list'], () => ({ body, stalls: true }))
    assert.equal(code, 1)
    assert.match(stderr, /has more than 67108864 bytes/)
  })
})

describe('responses that are not from an edgemint server', () => {
  for (const status of [302, 307]) {
    test(`does not follow a redirect with status ${status}`, async () => {
      const other = await startHostileServer()
      const target = other.serve(() => ({ body: { clients: [] } }))
      const redirect = { status, headers: { Location: `${target}/\u009b31m` }, body: 'x', stalls: true }
      const { code, stdout, stderr } = await run(['clients', 'list'], () => redirect, ['--timeout', '86400'])
      assert.deepEqual([code, stdout, other.tokens], [1, '', []])
      assert.match(
        stderr,
        new RegExp(`redirects to ${target}/\ufffd31m, status ${status}: redirects are not followed\\n$`),
      )
    })
  }

  test('reports the status of an error page of a proxy', async () => {
    const { code, stderr } = await run(['clients', 'list'], () => ({ status: 502, body: '<html>Bad Gateway</html>' }))
    assert.equal(code, 1)
    assert.match(stderr, /\/register\?limit=500 is not from an edgemint server: status 502\n$/)
  })

  test('ends with exit code 3 if there is no complete response within --timeout', async () => {
    const ends = await Promise.all(
      (['silence', { body: '{', stalls: true }] as const).map((answer) =>
        run(['clients', 'list'], () => answer, ['--timeout', '1']),
      ),
    )
    for (const { code, stderr } of ends) {
      assert.equal(code, 3)
      assert.match(stderr, /cannot be reached: no complete response within 1 s \(--timeout changes the limit\)\n$/)
    }
    for (const wrong of ['0', '1.5', 'soon', '86401', '4294968']) {
      const refused = await edgemint(['clients', 'list', '--timeout', wrong, '--json'], { EDGEMINT_TOKEN: TOKEN })
      assert.equal(refused.code, 2)
      assert.match(JSON.parse(refused.stderr).message, /'--timeout <seconds>'/)
    }
    const longest = await run(['clients', 'list'], () => ({ body: { clients: [] } }), ['--timeout', '86400'])
    assert.deepEqual([longest.code, longest.stderr], [0, ''])
  })

  test('explains a closed port, a certificate of an unknown authority and a server without TLS, with exit code 3', async (t) => {
    const { key, certificate } = certificates.server
    const tls = createServer({ key, cert: certificate }).listen(0, '127.0.0.1')
    t.after(() => tls.close())
    await once(tls, 'listening')
    const address = tls.address() as { port: number }
    const plain = server.serve(() => ({})).replace('http:', 'https:')
    for (const [url, message] of [
      [`http://localhost:${await freePort()}`, 'nothing listens on that port'],
      [
        `https://localhost:${address.port}`,
        'its certificate is not signed by a known authority. --ca FILE trusts your own',
      ],
      [plain, 'it does not speak TLS on that port'],
    ] as const) {
      const { code, stdout, stderr } = await edgemint(['clients', 'list', '--url', url], { EDGEMINT_TOKEN: TOKEN })
      assert.deepEqual([code, stdout], [3, ''], stderr)
      assert.match(stderr, new RegExp(`^edgemint: https?://\\S+ cannot be reached: ${message}\n$`))
    }
  })

  describe('--ca', () => {
    const ca = join(folder, 'ca.pem')
    writeFileSync(ca, certificates.ca.certificate)

    for (const runtime of ['node', 'bun', 'deno run --allow-all']) {
      test(`trusts the authority in the file, on ${runtime}`, async (t) => {
        const { key, certificate } = certificates.server
        const tls = createServer({ key, cert: certificate }, (_request, response) => response.end('{"clients":[]}'))
        t.after(() => tls.close())
        await once(tls.listen(0, '127.0.0.1'), 'listening')
        const url = `https://localhost:${(tls.address() as { port: number }).port}`
        const command = `${runtime} src/cli/edgemint.ts clients list --url ${url}`
        const { stdout, stderr } = await inShell(`${command} --ca ${ca}`)
        assert.deepEqual([stdout, stderr], ['none\n', ''])
        const without = await inShell(command)
        assert.match(without.stderr, /^edgemint: https:\S+ cannot be reached: /)
        tls.closeAllConnections()
      })
    }

    test('refuses a file that is missing or contains no certificate, with exit code 2', async () => {
      const wrong = join(folder, 'wrong.pem')
      const url = 'https://localhost:1'
      for (const [content, message] of [
        ['no certificate', /--ca .*wrong\.pem: it contains no PEM certificate\n$/],
        ['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----', /wrong\.pem: /],
      ] as const) {
        writeFileSync(wrong, content)
        const { code, stderr } = await edgemint(['clients', 'list', '--url', url, '--ca', wrong], {
          EDGEMINT_TOKEN: TOKEN,
        })
        assert.equal(code, 2)
        assert.match(stderr, message)
      }
      const { code, stderr } = await edgemint(['clients', 'list', '--url', url, '--ca', join(folder, 'missing.pem')])
      assert.equal(code, 2)
      assert.match(stderr, /missing\.pem: ENOENT/)
    })
  })

  test('sends no credentials over http to another machine without --insecure-http', async () => {
    const words = ['clients', 'list', '--url', 'http://tokens.invalid']
    const refused = await edgemint(words, { EDGEMINT_TOKEN: TOKEN })
    assert.equal(refused.code, 2)
    assert.match(refused.stderr, /^edgemint: http:\/\/tokens\.invalid cannot be used: .* --insecure-http .*\n$/)
    const sent = await edgemint([...words, '--insecure-http'], { EDGEMINT_TOKEN: TOKEN })
    assert.equal(sent.code, 3, sent.stderr)
    for (const url of ['tokens.example', 'ftp://tokens.example', '']) {
      const wrong = await edgemint(['clients', 'list', '--insecure-http', `--url=${url || 'x'}`])
      assert.equal(wrong.code, 2)
      assert.match(wrong.stderr, /must begin with https:\/\//)
    }
  })
})

describe('a URL of the server', () => {
  test('with user information, a query or a fragment is refused without quoting it, on every runtime', async () => {
    const { host } = new URL(server.serve(() => ({ body: { clients: [] } })))
    const before = server.tokens.length
    for (const url of [
      `http://user:s3cr3tpw@${host}`,
      `http://s3cr3tpw@${host}/0`,
      `http:user:s3cr3tpw@${host}`,
      'user:s3cr3tpw@tokens.example',
      'https://user:s3cr3tpw@tokens.example:port',
      `http://${host}?x=s3cr3tpw`,
      `http://${host}/#s3cr3tpw`,
      `http://${host}?`,
    ]) {
      for (const runtime of url.includes('user:s3cr3tpw@127') ? ['node', 'bun', 'deno run --allow-all'] : ['node']) {
        const { stdout, stderr } = await inShell(`${runtime} src/cli/edgemint.ts clients list --url '${url}'; echo $?`)
        assert.equal(stdout, '2\n', url)
        assert.match(stderr, /^edgemint: the URL of the server cannot be used: it must .*\n$/)
        assert.ok(!stderr.includes('s3cr3tpw'))
      }
    }
    assert.equal(server.tokens.length, before)
  })
})

describe('identifiers . and ..', () => {
  for (const id of ['.', '..']) {
    test(`${id} is refused before a request is sent, because no URL can contain it`, async () => {
      const paths: string[] = []
      const respond: Respond = (_method, path) => {
        paths.push(path)
        return { body: { client_id: id, resource: id } }
      }
      for (const words of [
        ['clients', 'create', '--id', id],
        ['clients', 'show', id],
        ['clients', 'disable', id],
        ['clients', 'rotate-secret', id],
        ['clients', 'revoke-secret', 'a', id, '--yes'],
        ['clients', 'revoke-tokens', id, '--yes'],
        ['clients', 'delete', id, '--yes'],
        ['resources', 'show', id],
        ['resources', 'delete', id, '--yes'],
      ]) {
        const { code, stdout, stderr } = await run(words, respond)
        assert.deepEqual(
          [code, stdout, stderr],
          [2, '', `edgemint: ${id} is not an identifier: no URL can contain it\n`],
        )
      }
      assert.deepEqual(paths, [])
    })
  }
})

describe('EDGEMINT_TOKEN', () => {
  const respond = () => ({ body: { clients: [] } })

  test('is used without a trailing line break', async () => {
    const url = server.serve(respond)
    const { code } = await edgemint(['clients', 'list', '--url', url], { EDGEMINT_TOKEN: `${TOKEN}\r\n` })
    assert.deepEqual([code, server.tokens.at(-1)], [0, `Bearer ${TOKEN}`])
  })

  test('is refused before it is sent if it cannot be a token, and is never quoted', async () => {
    const url = server.serve(respond)
    const before = server.tokens.length
    for (const token of [
      `${TOKEN}\nsecond-line`,
      `${TOKEN}\rsecond-line`,
      `${TOKEN} second`,
      `${TOKEN}\u00e9`,
      '  ',
      'a=b',
    ]) {
      const ended = await edgemint(['clients', 'list', '--url', url], { EDGEMINT_TOKEN: token })
      assert.deepEqual([ended.code, ended.stdout], [2, ''])
      assert.match(ended.stderr, /^edgemint: EDGEMINT_TOKEN is not an operator's token: .*\n$/)
      for (const part of ['operator-token', 'second', 'a=b']) assert.ok(!ended.stderr.includes(part))
    }
    assert.equal(server.tokens.length, before)
  })

  test('is required if there is no terminal', async () => {
    const { code, stderr } = await edgemint(['clients', 'list', '--url', server.serve(respond)])
    assert.equal(code, 2)
    assert.match(stderr, /EDGEMINT_TOKEN is not set/)
  })
})

describe('a long list', () => {
  const PAGES = 200
  const pageOf = (path: string): Answer => {
    const page = Number(/cursor=(\d+)/.exec(path)?.[1] ?? 0)
    const clients = Array.from({ length: 500 }, (_, index) => ({ client_id: `client-${page}-${index}`, scope: 'read' }))
    return { body: { clients, ...(page < PAGES - 1 && { next_cursor: `${page + 1}` }) } }
  }

  test('is printed page by page, as a table and as one JSON array', async () => {
    const [table, json] = await Promise.all([
      run(['clients', 'list'], (_method, path) => pageOf(path)),
      run(['clients', 'list'], (_method, path) => pageOf(path), ['--json']),
    ])
    const lines = table.stdout.trimEnd().split('\n')
    assert.equal(lines.length, PAGES * 500 + 1)
    assert.match(lines[0] ?? '', /^client_id +name +method +scope +state$/)
    assert.match(lines.at(-1) ?? '', /^client-199-499 +read +active$/)
    const printed = JSON.parse(json.stdout)
    assert.deepEqual([printed.length, printed.at(-1).client_id], [PAGES * 500, 'client-199-499'])
  })

  test('is not read on once the output pipe is closed', async () => {
    const pages = new Set<string>()
    const url = server.serve((_method, path) => {
      pages.add(path)
      return pageOf(path)
    })
    const { stderr } = await inShell(`node src/cli/edgemint.ts clients list --url ${url} | head -1`)
    assert.equal(stderr, '')
    assert.ok(pages.size < PAGES / 2, `${pages.size} pages`)
  })
})

describe('a closed output pipe', () => {
  test('clients list | head -1 ends without an error', async () => {
    const clients = Array.from({ length: 500 }, (_, index) => ({
      client_id: `client-${index}`,
      scope: 'x'.repeat(300),
    }))
    const url = server.serve(() => ({ body: { clients } }))
    const command = `node src/cli/edgemint.ts clients list --url ${url} | head -1`
    const { stdout, stderr } = await inShell(command)
    assert.match(stdout, /^client_id .*\n$/)
    assert.equal(stderr, '')
  })
})

async function inShell(command: string): Promise<{ stdout: string; stderr: string }> {
  const child = spawn('sh', ['-c', command], { env: { ...process.env, EDGEMINT_TOKEN: TOKEN } })
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { stdout, stderr }
}
