/** A fresh checkout, in which the blocks of the pages run. */

import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { cpSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import process from 'node:process'
import { self } from './certificates.ts'
import { inLanguage } from './doc_blocks.ts'
import { VERIFIERS } from './doc_types.ts'
import { type Running, startServer } from './process.ts'

/** The PATH of a newcomer: npm puts the project's own programs there only for its scripts. */
export const PATH: string = (process.env['PATH'] ?? '')
  .split(delimiter)
  .filter((entry) => !entry.includes('node_modules'))
  .join(delimiter)

/** A copy of what git would give a newcomer, beside the packages that `npm ci` would give and the files that the pages speak of. */
export function freshCheckout(): string {
  const folder = mkdtempSync(join(tmpdir(), 'edgemint-docs-'))
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' })
  for (const file of files.trim().split('\n')) cpSync(file, join(folder, file), { recursive: true })
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
  const hash = '$2b$10$U1iBZxDfVh5rEHwxhvXTCOGfkAmXAS5mPq/hcaHaPjzl0dvab7j1K'
  const client = { grant_types: ['client_credentials'], client_secret: hash, scope: 'read' }
  const hydra = [{ client_id: 'hydra', ...client }]
  writeFileSync(join(folder, 'clients.json'), JSON.stringify(hydra))
  writeFileSync(join(folder, 'clients.jsonl'), `${JSON.stringify(hydra[0])}\n`)
  writeFileSync(
    join(folder, 'fosite-clients.json'),
    JSON.stringify([{ ...client, id: 'fosite', client_secret: btoa(hash) }]),
  )
  writeFileSync(join(folder, 'client.pem'), self.certificate)
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  for (const name of ['cluster-keys.json', 'idp-keys.json']) {
    writeFileSync(join(folder, name), JSON.stringify({ keys: [publicKey.export({ format: 'jwk' })] }))
  }
  return folder
}

/** Writes wrangler.docs.toml: wrangler.toml with the lines that the pages add, at the top or at the end. */
export function configureAsShown(folder: string): void {
  const toml = inLanguage('toml').map(({ text }) => text)
  const tables = toml.filter((text) => text.startsWith('['))
  const values = toml.filter((text) => !text.startsWith('['))
  const present = readFileSync(join(folder, 'wrangler.toml'), 'utf8')
  writeFileSync(join(folder, 'wrangler.docs.toml'), [...values, present, ...tables].join('\n'))
}

/** Starts a server in the checkout, by a command of the pages, and stops it when `use` is done with its origin. */
export async function withServer(
  folder: string,
  commandOn: (port: number) => string,
  use: (origin: string) => Promise<void>,
): Promise<void> {
  const server: Running = await startServer((port) => ({
    command: `cd ${folder} && ${commandOn(port)}`,
    environment: { PORT: `${port}`, PATH },
  }))
  try {
    await use(server.origin)
  } catch (error) {
    throw new Error(server.output(), { cause: error })
  } finally {
    await server.stop()
  }
}

/** Returns a token of the client of development mode. */
export async function fetchToken(origin: string): Promise<string> {
  const body = new URLSearchParams({
    ...{ grant_type: 'client_credentials', scope: 'read' },
    ...{ client_id: 'test-client', client_secret: 'foobar' },
  })
  const { access_token } = await (await fetch(`${origin}/token`, { method: 'POST', body })).json()
  return access_token
}

/** Runs a curl of the pages; what it has to answer follows from its path. */
export async function curlAsShown(text: string, origin: string): Promise<void> {
  const env = { ...process.env, TOKEN: await fetchToken(origin) }
  const { status, stdout, stderr } = spawnSync('bash', ['-ec', text], { encoding: 'utf8', env })
  assert.equal(status, 0, text + stderr)
  const [, path = ''] = new RegExp(`${origin}(/\\S+)`).exec(text) ?? []
  if (path === '/revoke') return assert.equal(stdout, '')
  const body = JSON.parse(stdout)
  if (path === '/token') assert.equal(body.token_type, 'bearer', stdout)
  else if (path === '/introspect') assert.equal(body.active, true, stdout)
  else assert.equal(body.keys.length, 1, `${path} ${stdout}`)
}

/** Runs code for resource servers on a token: each of the named blocks has to print its subject. */
export async function verifyAsShown(folder: string, origin: string, names: readonly string[]): Promise<void> {
  const client = { clientId: 'test-client', clientSecret: 'foobar' }
  const values = { ...client, token: await fetchToken(origin), issuer: origin, audience: origin }
  const given = Object.entries(values).map(([name, value]) => `const ${name} = ${JSON.stringify(value)}`)
  for (const [name, tail] of VERIFIERS.filter(([name]) => names.includes(name))) {
    const block = inLanguage('ts').find(({ text }) => text.includes(name))
    const input = [...given, block?.text, tail].join('\n')
    const options = { cwd: folder, encoding: 'utf8', input } as const
    const { stdout, stderr } = spawnSync('node', ['--input-type=module-typescript', '-'], options)
    assert.equal(stdout.trim(), 'test-client', name + stderr)
  }
}
