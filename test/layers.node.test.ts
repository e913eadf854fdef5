import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, test } from '#test'

/** Layers from the top, each of folders and of files next to them; .github/ARCHITECTURE.md draws the same picture. */
const LAYERS: readonly (readonly string[])[] = [
  ['index.ts', 'worker.ts', 'library.ts', 'client.ts', 'resource_server.ts', 'cli'],
  [
    'start.ts',
    'preset.ts',
    'operator_endpoints.ts',
    'preset_options.ts',
    'open_keyring.ts',
    'key_services.ts',
    'development.ts',
    'config.ts',
    'config_types.ts',
    'listen_address.ts',
    'config_values.ts',
    'setting_warnings.ts',
    'runtime',
  ],
  ['provider.ts'],
  ['endpoints'],
  ['authentication', 'grants', 'confirmations', 'resource_server', 'client'],
  [
    ...[
      'assertions',
      'certificates',
      'clients',
      'events',
      'http',
      'issuers',
      'keys',
      'kms',
      'policy',
      'records',
      'resources',
      'secrets',
    ],
    ...['stores', 'tokens'],
  ],
  ['types.ts', 'features.ts', 'permit.ts', 'errors.ts', 'attribution.ts', 'error_codes.ts', 'reasons.ts', 'lib'],
]

/** Folders of features: one does not import another, so each can be left out. */
const FEATURES: readonly string[] = ['authentication', 'grants', 'confirmations', 'resource_server', 'client']

/** Packages that only some folders may import. */
const KEEPERS: readonly [packages: RegExp, importers: RegExp][] = [
  // `clients test` is a client: it signs an assertion and verifies its token as a resource server would.
  [/^jose$/, /^src\/((assertions|tokens|keys|kms|client)\/|cli\/(test_client|verify_token|client_credentials)\.ts)/],
  [/^aws4fetch$/, /^src\/kms\/sigv4\.ts$/],
  [/^bcrypt-ts/, /^src\/secrets\/hashes\.ts$/],
  [/^node:/, /^src\/(cli\/|runtime\/|stores\/(sqlite|private_file)\.ts)/],
  [/^cloudflare:/, /^src\/(runtime\/cloudflare|stores\/durable_object)\.ts$/],
  [/^@redis\//, /^src\/stores\/redis\.ts$/],
  [/^@hono\/node-server$/, /^src\/runtime\/node\.ts$/],
]

const files = globSync('src/**/*.ts')
const imports = files.flatMap((file) =>
  [...readFileSync(file, 'utf8').matchAll(/(?:from|import\(?)\s*'([^']+)'/g)].map(([, target = '']) => ({
    file,
    target,
  })),
)
const local = imports
  .filter(({ target }) => target.startsWith('.'))
  .map(({ file, target }) => ({ file, target: join(dirname(file), target) }))

function placeOf(file: string): string {
  return file.split('/')[1] ?? ''
}

function layerOf(file: string): number {
  const depth = LAYERS.findIndex((places) => places.includes(placeOf(file)))
  assert.ok(depth >= 0, `${file} has no layer`)
  return LAYERS.length - depth
}

describe('source', () => {
  test('imports only point down, and no feature imports another', () => {
    assert.ok(local.length > 50)
    for (const { file, target } of local) {
      assert.ok(layerOf(target) <= layerOf(file), `${file} imports ${target}`)
      const [from, to] = [placeOf(file), placeOf(target)]
      assert.ok(!FEATURES.includes(from) || !FEATURES.includes(to) || from === to, `${file} imports ${target}`)
    }
  })

  test('has no import cycle', () => {
    const targets = Map.groupBy(local, ({ file }) => file)
    const settled = new Set<string>()
    const visit = (file: string, path: readonly string[]): void => {
      assert.ok(!path.includes(file), [...path, file].join(' → '))
      if (settled.has(file)) return
      for (const { target } of targets.get(file) ?? []) visit(target, [...path, file])
      settled.add(file)
    }
    for (const file of files) visit(file, [])
  })

  test('keeps packages to the folders that own them', () => {
    for (const { file, target } of imports) {
      for (const [packages, importers] of KEEPERS) {
        assert.ok(!packages.test(target) || importers.test(file), `${file} imports ${target}`)
      }
    }
  })

  test('names the request in every event of an endpoint', () => {
    for (const file of files.filter((each) => placeOf(each) === 'endpoints'))
      assert.doesNotMatch(readFileSync(file, 'utf8'), /\bemit\(/, `${file}: call emitFrom`)
  })

  test('keeps files under 200 lines', () => {
    for (const file of files) assert.ok(readFileSync(file, 'utf8').split('\n').length <= 201, file)
  })
})
