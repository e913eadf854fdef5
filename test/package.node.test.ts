import assert from 'node:assert/strict'
import { type ExecFileSyncOptionsWithStringEncoding, execFileSync, spawnSync } from 'node:child_process'
import {
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { publint } from 'publint'
import { describe, test } from '#test'
import type { TokenClient } from '../src/client.ts'
import { hashSecret } from '../src/secrets/hashes.ts'

/** What a Worker of one grant, one method of client authentication and a memory store may weigh, compressed. */
const MAX_SMALLEST_BYTES = 42 * 1024

/** What a Worker may weigh, compressed, that has all of `edgemint/resource-server`. */
const MAX_GUARD_BYTES = 15 * 1024

/** Marks of what the smallest Worker does not use. */
const UNUSED = [
  'private_key_jwt',
  'spiffe_jwt',
  'dpop+jwt',
  'x5t#S256',
  'registration_client_uri',
  'revocations+jwt',
  'openapi',
]

const OPERATOR = 'the-token-of-the-operator-at-least-32-characters'

interface Fetcher {
  fetch(request: Request, secrets?: unknown): Promise<Response>
}

const QUIETLY: ExecFileSyncOptionsWithStringEncoding = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }

/** A project that has the packed tarball installed, and the examples. */
function install(): { readonly project: string; readonly tarball: string } {
  const project = mkdtempSync(join(tmpdir(), 'edgemint-package-'))
  const [packed] = JSON.parse(execFileSync('npm', ['pack', '--json', '--pack-destination', project], QUIETLY))
  const tarball = join(project, packed.filename)
  const modules = join(project, 'node_modules')
  mkdirSync(join(modules, 'edgemint'), { recursive: true })
  execFileSync('tar', ['-xzf', tarball, '--strip-components=1', '-C', join(modules, 'edgemint')])
  for (const name of readdirSync('node_modules').filter((each) => !each.startsWith('.') && each !== 'edgemint'))
    symlinkSync(resolve('node_modules', name), join(modules, name))
  cpSync('examples', project, { recursive: true })
  writeFileSync(join(project, 'package.json'), JSON.stringify({ type: 'module', private: true }))
  return { project, tarball }
}

const { project, tarball } = install()
const examples = globSync('examples/*.ts').map((file) => basename(file))

const load = async (example: string): Promise<Fetcher> =>
  (await import(pathToFileURL(join(project, example)).href)).default

function requestToken(url: string, form: Readonly<Record<string, string>>, headers: HeadersInit = {}): Request {
  return new Request(url, { method: 'POST', body: new URLSearchParams(form), headers })
}

async function bodyOf(response: Response): Promise<Readonly<Record<string, string>>> {
  assert.equal(response.status < 300, true, await response.clone().text())
  return (await response.json()) as Readonly<Record<string, string>>
}

const run = (command: string, args: readonly string[]): string =>
  execFileSync(command, args, { ...QUIETLY, cwd: project })

/** Returns what `wrangler deploy` would upload. */
function bundleWorker(main: string, bundle: string): Buffer {
  const lines = [
    'name = "example"',
    `main = "${main}"`,
    'compatibility_date = "2026-10-01"',
    'minify = true',
    'keep_names = false',
  ]
  writeFileSync(join(project, 'wrangler.toml'), lines.join('\n'))
  run('wrangler', ['deploy', '--dry-run', '--outdir', 'bundle'])
  return readFileSync(join(project, 'bundle', bundle))
}

describe('the package', () => {
  const files = run('tar', ['-tzf', tarball])
    .trim()
    .split('\n')
    .map((file) => file.replace('package/', ''))

  test('holds what was built, the command, the documents, and nothing else', () => {
    const expected = [
      /^bin\/edgemint\.js$/,
      /^dist\/[\w/]+\.(js|d\.ts)$/,
      /^(docs|\.github|\.github\/decisions)\/[\w-]+\.md$/,
      /^examples\/\w+\.ts$/,
    ]
    const others = files.filter((file) => !expected.some((pattern) => pattern.test(file)))
    assert.deepEqual(others.sort(), ['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json'])
  })

  test('holds each file that its documents link to', () => {
    const broken = files
      .filter((file) => file.endsWith('.md'))
      .flatMap((page) => {
        const text = readFileSync(join(project, 'node_modules', 'edgemint', page), 'utf8')
        return [...text.matchAll(/\]\((?![a-z]+:)([^)#\s]+)/g)].map(([, path = '']) => join(dirname(page), path))
      })
      .filter((path) => !files.some((file) => file === path || file.startsWith(`${path.replace(/\/$/, '')}/`)))
    assert.deepEqual(broken, [])
  })

  test('has no problem that publint or are-the-types-wrong knows', async () => {
    const { messages } = await publint({ pkgDir: join(project, 'node_modules', 'edgemint'), strict: true, pack: false })
    assert.deepEqual(messages, [])
    // Exits with 1 if an entry has a problem with the resolution of types.
    execFileSync('attw', [tarball, '--profile', 'esm-only'], QUIETLY)
  })

  test('has types that the examples compile with', () => {
    const compilerOptions = { target: 'ES2024', module: 'NodeNext', strict: true, noEmit: true, types: ['node'] }
    const options = { ...compilerOptions, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true }
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, include: ['*.ts'] }))
    assert.equal(run('tsc', []), '')
  })

  test('makes a Worker without what it does not use', () => {
    const bundle = bundleWorker('worker.ts', 'worker.js')
    const size = gzipSync(bundle, { level: 9 }).length
    assert.ok(size <= MAX_SMALLEST_BYTES, `${size} bytes`)
    assert.deepEqual(
      UNUSED.filter((mark) => bundle.includes(mark)),
      [],
    )
  })

  test('makes a Worker of all of `edgemint/resource-server`, without the server', () => {
    const lines = [
      "import * as all from 'edgemint/resource-server'",
      'export default { fetch: () => Response.json(Object.values(all).map(String)) }',
    ]
    writeFileSync(join(project, 'guard.js'), lines.join('\n'))
    const bundle = bundleWorker('guard.js', 'guard.js')
    const size = gzipSync(bundle, { level: 9 }).length
    assert.ok(bundle.includes('insufficient_scope') && bundle.includes('signed_metadata'))
    assert.ok(size <= MAX_GUARD_BYTES, `${size} bytes`)
    assert.ok(!bundle.includes('client_credentials'))
  })

  test('makes the full Worker of `edgemint/worker`', () => {
    writeFileSync(join(project, 'full.js'), "export { default, Ledger } from 'edgemint/worker'\n")
    assert.ok(bundleWorker('full.js', 'full.js').includes('Ledger'))
  })

  test('can be published to JSR', () => {
    execFileSync('deno', ['publish', '--dry-run', '--allow-dirty', '--quiet'], QUIETLY)
  })

  test('has the same version on JSR', () => {
    const [npm, jsr] = ['package.json', 'jsr.json'].map((file) => JSON.parse(readFileSync(file, 'utf8')).version)
    assert.equal(npm, jsr)
  })

  test('writes a project that wrangler builds', () => {
    const edgemint = ['node_modules/edgemint/bin/edgemint.js', 'init', 'made', '--from', tarball]
    run('node', edgemint)
    const made = join(project, 'made')
    const { dependencies } = JSON.parse(readFileSync(join(made, 'package.json'), 'utf8'))
    assert.deepEqual(dependencies, { edgemint: `file:${tarball}` })
    execFileSync('wrangler', ['deploy', '--dry-run', '--outdir', 'bundle'], { ...QUIETLY, cwd: made })
    assert.throws(() => run('node', edgemint), /made is not empty/)
  })

  test('writes a project with the tested wrangler, and with the latest if the package does not name one', () => {
    const file = join(project, 'node_modules', 'edgemint', 'package.json')
    const packed = readFileSync(file, 'utf8')
    const { devDependencies, ...stripped } = JSON.parse(packed)
    const wranglerIn = (directory: string) => {
      run('node', ['node_modules/edgemint/bin/edgemint.js', 'init', directory])
      return JSON.parse(readFileSync(join(project, directory, 'package.json'), 'utf8')).devDependencies
    }
    assert.deepEqual(wranglerIn('tested'), { wrangler: `^${devDependencies.wrangler}` })
    try {
      writeFileSync(file, JSON.stringify(stripped))
      assert.deepEqual(wranglerIn('untested'), { wrangler: 'latest' })
      writeFileSync(file, JSON.stringify({ ...stripped, devDependencies: { wrangler: '~4.0.0' } }))
      assert.deepEqual(wranglerIn('ranged'), { wrangler: '~4.0.0' })
    } finally {
      writeFileSync(file, packed)
    }
  })

  test('starts the command', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
    assert.equal(run('node', ['node_modules/edgemint/bin/edgemint.js', '--version']).trim(), version)
  })
})

describe('bin/edgemint.js', () => {
  for (const [bin, version, needed] of [
    ['bin/edgemint.js', '22.17.1', '22.18'],
    [join(project, 'node_modules/edgemint/bin/edgemint.js'), '20.19.0', '22.13'],
    [join(project, 'node_modules/edgemint/bin/edgemint.js'), '22.12.0', '22.13'],
  ] as const) {
    test(`says in one line that Node ${version} is too old in the ${bin === 'bin/edgemint.js' ? 'checkout' : 'package'}`, () => {
      const older = `data:text/javascript,Object.defineProperty(process,'versions',{value:{node:'${version}'}})`
      const { status, stdout, stderr } = spawnSync('node', ['--import', older, bin, 'serve'], { encoding: 'utf8' })
      const line = `edgemint: Node ${needed} or newer is needed, and this is Node ${version}\n`
      assert.deepEqual([status, stdout, stderr], [1, '', line])
    })
  }
})

describe('each example', () => {
  test('is short', () => {
    assert.ok(examples.length >= 6)
    const linesOf = (example: string): number => readFileSync(join('examples', example), 'utf8').split('\n').length
    for (const example of examples) assert.ok(linesOf(example) <= (example === 'two_services.ts' ? 101 : 61), example)
  })

  test('worker: issues a token to its client', async () => {
    const { generateKey } = await import('../src/keys/key_set.ts')
    const client = {
      client_id: 'reporting',
      client_secrets: [{ id: '1', hash: await hashSecret('a-secret') }],
      grant_types: ['client_credentials'],
      scope: 'reports.*',
    }
    const keys = [await generateKey('ES256')]
    const secrets = {
      ISSUER: 'https://tokens.example',
      SIGNING_KEYS: JSON.stringify({ keys }),
      CLIENT: JSON.stringify(client),
    }
    const worker = await load('worker.ts')
    const Authorization = `Basic ${btoa('reporting:a-secret')}`
    const form = { grant_type: 'client_credentials', scope: 'reports.read' }
    const request = requestToken('https://tokens.example/token', form, { Authorization })
    assert.equal((await bodyOf(await worker.fetch(request, secrets)))['scope'], 'reports.read')
  })

  test('mount: answers below its path and leaves the rest to the app', async () => {
    const app = await load('mount.ts')
    const text = async (path: string) => (await app.fetch(new Request(`https://example.com${path}`))).text()
    assert.equal(await text('/token'), 'a page of the app')
    assert.equal(JSON.parse(await text('/openapi.json')).info.title, 'The app')
    const metadata = JSON.parse(await text('/.well-known/oauth-authorization-server/auth'))
    assert.equal(metadata.token_endpoint, 'https://example.com/auth/token')
    assert.ok(JSON.parse(await text('/auth/openapi.json')).paths['/token'])
  })

  test('custom_grant: issues a token for the device', async () => {
    const app = await load('custom_grant.ts')
    const form = { client_id: 'gateway', client_secret: 'correct horse battery staple', label: '4711-0815' }
    const grant = { grant_type: 'urn:example:grant-type:device-label' }
    const { access_token = '' } = await bodyOf(
      await app.fetch(requestToken('https://tokens.example.com/token', { ...form, ...grant })),
    )
    assert.equal(JSON.parse(atob(access_token.split('.')[1] ?? '')).sub, 'thermometer-7')
    const refused = await app.fetch(requestToken('https://tokens.example.com/token', { ...form, ...grant, label: '1' }))
    assert.equal(refused.status, 400)
  })

  test('custom_client_auth: authenticates by its signature only', async () => {
    const app = await load('custom_client_auth.ts')
    const octets = new TextEncoder()
    const raw = octets.encode('a key that the gateway and this server share')
    const key = await crypto.subtle.importKey('raw', raw, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
    const signature = Buffer.from(await crypto.subtle.sign('HMAC', key, octets.encode('reporting'))).toString('hex')
    const form = { grant_type: 'client_credentials', client_id: 'reporting' }
    const send = (value: string) =>
      app.fetch(requestToken('https://tokens.example.com/token', form, { 'X-Gateway-Signature': value }))
    assert.ok((await bodyOf(await send(signature)))['access_token'])
    assert.equal((await send('00'.repeat(32))).status, 401)
  })

  test('two_services: call each other with tokens that are bound to their keys', async () => {
    const { default: network, shop } = (await import(pathToFileURL(join(project, 'two_services.ts')).href)) as {
      readonly default: Fetcher
      readonly shop: TokenClient
    }
    const url = 'https://orders.example.com/orders/7'
    const item = { id: '4711', left: 3, asked_by: 'orders' }
    assert.deepEqual(await (await shop.fetch(url)).json(), { id: '7', ordered_by: 'shop', item })
    const { accessToken } = await shop.token()
    const challengeTo = async (Authorization: string, at = url) => {
      const response = await network.fetch(new Request(at, { headers: { Authorization } }))
      assert.equal(response.status, 401)
      return response.headers.get('WWW-Authenticate') ?? ''
    }
    assert.match(await challengeTo(`Bearer ${accessToken}`), /^DPoP error="invalid_token"/)
    assert.match(await challengeTo(`DPoP ${accessToken}`), /^DPoP error="invalid_dpop_proof"/)
    assert.match(await challengeTo(`DPoP ${accessToken}`, 'https://stock.example.com/items/1'), /error="invalid_token"/)
    const [, described = ''] = /resource_metadata="([^"]+)"/.exec(await challengeTo('')) ?? []
    const { authorization_servers } = (await (await network.fetch(new Request(described))).json()) as Record<
      string,
      unknown
    >
    assert.deepEqual(authorization_servers, ['https://tokens.example.com'])
    // A client with a key of its own may not use the token of another.
    await assert.rejects(shop.fetch('https://stock.example.com/items/1'), TypeError)
  })

  test('custom_store: registers a client and issues it a token', async () => {
    const app = await load('custom_store.ts')
    const registration = await app.fetch(
      new Request('https://tokens.example.com/register', {
        method: 'POST',
        headers: { Authorization: `Bearer ${OPERATOR}`, 'Content-Type': 'application/json' },
        body: JSON.stringify({ client_name: 'Reports' }),
      }),
    )
    const { client_id = '', client_secret = '' } = await bodyOf(registration)
    const form = { grant_type: 'client_credentials', client_id, client_secret }
    assert.ok((await bodyOf(await app.fetch(requestToken('https://tokens.example.com/token', form))))['access_token'])
  })
})
