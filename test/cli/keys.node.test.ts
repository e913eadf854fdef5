import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportPKCS8, generateKeyPair } from 'jose'
import { describe, test } from '#test'
import { readKeyring } from '../../src/keys/keyring.ts'
import { edgemint } from '../support/cli.ts'

const folder = mkdtempSync(join(tmpdir(), 'edgemint-'))
const now = () => Math.floor(Date.now() / 1000)
const keyringOf = (file: string) => readKeyring(readFileSync(file, 'utf8'), { lifetimeSeconds: 1800 })

describe('edgemint keys', () => {
  test('generate, rotate and list: the server reads the file, its mode is 0600, no private member is shown', async () => {
    const file = join(folder, 'keys.json')
    const made = await edgemint(['keys', 'generate', '--file', file, '--alg', 'ES256'])
    assert.deepEqual([made.code, made.stdout], [0, ''])
    assert.equal(statSync(file).mode & 0o777, 0o600)
    assert.match(made.stderr, /^wrote .*\nNext: .*\n.*wrangler secret put SIGNING_KEYS < .*keys\.json\n.*restart/)
    const first = (await keyringOf(file)).at(now()).signing()
    assert.equal(first?.alg, 'ES256')

    const turned = await edgemint(['keys', 'rotate', '--file', file, '--announce', '600', '--json'])
    assert.equal(turned.code, 0)
    assert.equal(statSync(file).mode & 0o777, 0o600)
    const keyring = await keyringOf(file)
    assert.equal(keyring.at(now()).signing()?.kid, first?.kid)
    assert.notEqual(keyring.at(now() + 601).signing()?.kid, first?.kid)
    assert.equal(keyring.at(now()).published.keys.length, 2)
    const [next, old] = JSON.parse(turned.stdout)
    assert.deepEqual([next.state, old.state, old.kid], ['announced', 'signing', first?.kid])

    const listed = await edgemint(['keys', 'list', '--file', file])
    assert.match(listed.stdout, /announced.*\n.*signing/)
    const secrets = JSON.parse(readFileSync(file, 'utf8')).keys.map(({ d }: { d: string }) => d)
    for (const { stdout, stderr } of [made, turned, listed]) {
      for (const secret of secrets) assert.ok(!(stdout + stderr).includes(secret))
    }
  })

  test('rotate prints the next step, and asks for confirmation if a key is already announced', async () => {
    const file = join(folder, 'waiting.json')
    await edgemint(['keys', 'generate', '--file', file, '--alg', 'ES256'])
    const rotate = ['keys', 'rotate', '--file', file]
    const first = await edgemint(rotate)
    assert.equal(first.code, 0)
    assert.match(
      first.stderr,
      /^Next: set SIGNING_KEYS on the server\. Do this now.*\n.*waiting\.json\n.*restart the server\n$/,
    )
    const before = readFileSync(file, 'utf8')
    const again = await edgemint(rotate)
    assert.deepEqual([again.code, again.stdout, readFileSync(file, 'utf8')], [2, '', before])
    assert.match(again.stderr, /is announced and signs from \d{4}-.*Z\. Announce another one\? .*--yes/)
    assert.equal((await edgemint([...rotate, '--alg', 'RS256'])).code, 0)
    assert.equal((await edgemint([...rotate, '--yes', '--alg', 'ES256'])).code, 0)
    assert.equal(JSON.parse(readFileSync(file, 'utf8')).keys.length, 4)
  })

  test('generate --json prints the key without its private part', async () => {
    const file = join(folder, 'json.json')
    const { code, stdout, stderr } = await edgemint(['keys', 'generate', '--file', file, '--alg', 'ES256', '--json'])
    assert.deepEqual([code, stderr], [0, ''])
    const [{ kid, ...key }] = JSON.parse(stdout)
    assert.deepEqual(key, { alg: 'ES256', state: 'signing', signs_from: 0 })
    assert.equal((await keyringOf(file)).at(now()).signing()?.kid, kid)
  })

  test('generate prints the key set to a pipe', async () => {
    const { code, stdout } = await edgemint(['keys', 'generate'])
    assert.equal(code, 0)
    const file = join(folder, 'piped.json')
    writeFileSync(file, stdout)
    assert.equal((await keyringOf(file)).at(now()).signing()?.alg, 'RS256')
  })

  test('rotate reads a PEM file of OpenSSL and converts it to a key set', async () => {
    const file = join(folder, 'key.pem')
    const { privateKey } = await generateKeyPair('RS256', { extractable: true })
    writeFileSync(file, await exportPKCS8(privateKey))
    const before = (await keyringOf(file)).at(now()).signing()?.kid
    assert.equal((await edgemint(['keys', 'rotate', '--file', file])).code, 0)
    const keyring = await keyringOf(file)
    assert.equal(keyring.at(now()).signing()?.kid, before)
    assert.equal(keyring.at(now()).published.keys.length, 2)
  })

  test('refuses to overwrite a file, an invalid file and an unknown algorithm, with exit code 2', async () => {
    const file = join(folder, 'there.json')
    writeFileSync(file, 'precious')
    for (const [words, message] of [
      [['keys', 'generate', '--file', file], /already exists/],
      [['keys', 'rotate', '--file', file], /neither a private JWK Set/],
      [['keys', 'list', '--file', join(folder, 'nothing')], /ENOENT/],
      [['keys', 'generate', '--alg', 'none'], /Allowed choices/],
      [['keys', 'generate', '--alg', 'ES256', '--file', join(folder, 'nowhere', 'keys.json')], /ENOENT/],
      [['keys', 'rotate'], /use --file for a key set/],
      [['keys', 'rotate', '--file', file, '--announce', 'soon'], /whole number/],
    ] as const) {
      const { code, stderr } = await edgemint(words)
      assert.equal(code, 2, words.join(' '))
      assert.match(stderr, message)
    }
    assert.equal(readFileSync(file, 'utf8'), 'precious')
  })
})
