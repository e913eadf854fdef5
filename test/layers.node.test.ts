import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, test } from '#test'

/** The first pattern that fits a file gives its layer; .github/ARCHITECTURE.md draws the same picture. */
const LAYERS: readonly [layer: number, pattern: RegExp][] = [
  [6, /^src\/index\.ts$|^src\/cli\//],
  [5, /^src\/(preset|config)\.ts$|^src\/runtime\//],
  [4, /^src\/(provider|parts)\.ts$/],
  [3, /^src\/endpoints\//],
  [
    2,
    /^src\/(grants|confirmations)\/|^src\/clients\/(client_secret_\w+|private_key_jwt|(self_signed_)?tls_client_auth)\.ts/,
  ],
  [1, /^src\/(assertions|certificates|clients|events|keys|policy|records|resources|stores|tokens)\//],
  [0, /^src\/(types|errors|reasons)\.ts$|^src\/lib\//],
]
const FEATURES = 2

/** Packages that only some folders may import. */
const KEEPERS: readonly [packages: RegExp, importers: RegExp][] = [
  [/^jose$/, /^src\/(assertions|confirmations|tokens|keys)\//],
  [/^bcrypt-ts/, /^src\/clients\/secret_hashes\.ts$/],
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

function layerOf(file: string): number {
  const layer = LAYERS.find(([, pattern]) => pattern.test(file))?.[0]
  assert.ok(layer !== undefined, `${file} has no layer`)
  return layer
}

describe('source', () => {
  test('imports only point down, and no feature imports another', () => {
    assert.ok(local.length > 50)
    for (const { file, target } of local) {
      const [from, to] = [layerOf(file), layerOf(target)]
      assert.ok(from === FEATURES ? to < from : to <= from, `${file} imports ${target}`)
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

  test('keeps files under 200 lines', () => {
    for (const file of files) assert.ok(readFileSync(file, 'utf8').split('\n').length <= 201, file)
  })
})

describe('reasons', () => {
  test('each stands in a test', () => {
    const unions = `${readFileSync('src/reasons.ts', 'utf8')}\n`.matchAll(/^export type \w*Reason =([^/]*?)\n\n/gm)
    const reasons = [...unions].flatMap(([, union = '']) =>
      [...union.matchAll(/'(\w+)'/g)].map(([, reason = '']) => reason),
    )
    const tests = globSync('test/**/*.ts')
      .map((file) => readFileSync(file, 'utf8'))
      .join()
    assert.ok(reasons.length > 25)
    assert.deepEqual(
      reasons.filter((reason) => !tests.includes(`'${reason}'`)),
      [],
    )
  })
})
