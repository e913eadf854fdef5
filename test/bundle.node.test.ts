import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, test } from '#test'

const MAX_GZIP_BYTES = 128 * 1024

/** Marks of what belongs to other runtimes, or to nobody's Worker. */
const FORBIDDEN = ['node:', 'node-server', 'DatabaseSync', 'Deno.', 'Bun.', 'eval(', 'new Function']

describe('the Worker that `wrangler deploy` would upload', () => {
  const folder = mkdtempSync(join(tmpdir(), 'edgemint-'))
  execFileSync('wrangler', ['deploy', '--dry-run', '--outdir', folder], { stdio: 'pipe' })
  const bundle = readFileSync(join(folder, 'index.js'))

  test(`is at most ${MAX_GZIP_BYTES} bytes, compressed`, () => {
    const size = gzipSync(bundle, { level: 9 }).length
    assert.ok(size <= MAX_GZIP_BYTES, `${size} bytes`)
  })

  test('holds nothing of another runtime', () => {
    const text = bundle.toString()
    assert.ok(text.includes('client_credentials'))
    assert.deepEqual(
      FORBIDDEN.filter((mark) => text.includes(mark)),
      [],
    )
  })
})
