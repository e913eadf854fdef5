import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, test } from '#test'

/** As long as a stop may take, in seconds; src/runtime/stop.ts. */
const STOP_SECONDS = 9

const numberIn = (text: string, pattern: RegExp): number => Number(pattern.exec(text)?.[1])

describe('what runs the server elsewhere', () => {
  test('the image has a numeric user, without which runAsNonRoot refuses it', () => {
    assert.match(readFileSync('Dockerfile', 'utf8'), /^USER [1-9]\d*:[1-9]\d*$/m)
  })

  test('a pod gets the signal after requests go elsewhere, and has the time that a stop may take', () => {
    const manifest = readFileSync('docs/deployment.md', 'utf8')
    const sleep = numberIn(manifest, /preStop: \{ sleep: \{ seconds: (\d+) \} \}/)
    assert.ok(sleep > 0)
    assert.ok(numberIn(manifest, /terminationGracePeriodSeconds: (\d+)/) > sleep + STOP_SECONDS)
  })

  test('the proxy of compose.yaml finds the servers that run, and its site has no path', () => {
    const compose = readFileSync('compose.yaml', 'utf8')
    assert.match(compose, /dynamic a \{/)
    assert.match(compose, /lb_try_duration \d+s/)
    // While all servers start, it would take the whole service down.
    assert.ok(!compose.includes('health_uri'))
    const site: string | undefined = /SITE=\\"\$\$\(echo \\"\$\$ISSUER\\" \| (cut [^)]+)\)\\"/.exec(compose)?.[1]
    assert.ok(site !== undefined)
    for (const path of ['', '/oauth', '/a/b']) {
      const input = `https://tokens.example.com${path}\n`
      const output: string = execFileSync('sh', ['-c', site], { input, encoding: 'utf8' })
      assert.equal(output, 'https://tokens.example.com\n')
    }
  })

  test('Git ignores the file that the secrets of compose.yaml are written into', () => {
    for (const file of ['.env', '.env.production'])
      assert.equal(execFileSync('git', ['check-ignore', '--no-index', file], { encoding: 'utf8' }).trim(), file)
  })
})
