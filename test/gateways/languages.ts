/** The blocks of docs/resource-servers.md for Go and Python, run with the packages that they name. */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { runToEnd } from '../../bench/child.ts'
import { AUDIENCE, blockOf, ISSUER, refused, server, sign } from './world.ts'

const JWKS = `${server.origin}/.well-known/jwks.json`
const folder = mkdtempSync(join(tmpdir(), 'edgemint-languages-'))

/** Returns what verifies the token of its last argument, prints its subject, and fails if it is refused. */
const LANGUAGES: Readonly<Record<string, () => Promise<readonly [string, ...string[]]>>> = {
  async Go() {
    const place = join(folder, 'go')
    mkdirSync(place)
    const main = `package main\n\nimport (\n\t"fmt"\n\t"os"\n)\n
func main() {
	keys, err := Keys("${server.origin}")
	if err != nil {
		panic(err)
	}
	claims, err := Verify(os.Args[1], keys, "${ISSUER}", "${AUDIENCE}")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Print(claims.Subject)
}\n`
    writeFileSync(join(place, 'verify.go'), blockOf('go', 'func Verify'))
    writeFileSync(join(place, 'main.go'), main)
    await runToEnd('go', ['mod', 'init', 'example.com/verify'], place)
    await runToEnd('go', ['get', 'github.com/go-jose/go-jose/v4@v4.1.3'], place)
    await runToEnd('go', ['build', '-o', 'verify', '.'], place)
    return [join(place, 'verify')]
  },
  async Python() {
    const place = join(folder, 'python')
    await runToEnd('python3', ['-m', 'venv', place])
    await runToEnd(join(place, 'bin', 'pip'), ['install', '-q', 'PyJWT==2.10.1', 'cryptography'])
    const block = blockOf('python', 'PyJWKClient', { 'f"{issuer}/.well-known/jwks.json"': `"${JWKS}"` })
    const names = `import sys\nissuer, audience, token = "${ISSUER}", "${AUDIENCE}", sys.argv[1]\n`
    writeFileSync(join(place, 'verify.py'), `${names}${block}\nprint(claims["sub"], end="")\n`)
    return [join(place, 'bin', 'python'), join(place, 'verify.py')]
  },
}

for (const [language, prepare] of Object.entries(LANGUAGES)) {
  describe(language, async () => {
    const [command, ...words] = await prepare()
    const verify = (token: string) => spawnSync(command, [...words, token], { encoding: 'utf8' })

    test('accepts a token', async () => {
      const { status, stdout, stderr } = verify(await sign())
      assert.deepEqual([status, stdout], [0, 'reporting'], stderr)
    })

    for (const [name, making] of Object.entries(refused)) {
      test(`refuses a token of ${name}`, async () => {
        const { status, stdout } = verify(await sign(making))
        assert.deepEqual([status, stdout], [1, ''])
      })
    }
  })
}
