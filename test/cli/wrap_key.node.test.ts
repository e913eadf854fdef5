import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import process from 'node:process'
import { buffer, text } from 'node:stream/consumers'
import { describe, test } from '#test'
import { readKeyUrl } from '../../src/kms/key_url.ts'
import { fakeVault, VAULT_TOKEN } from '../support/vault_server.ts'
import { NOW } from '../support/world.ts'

const ISSUER = 'https://tokens.example'

async function run(words: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const env = { ...process.env, VAULT_TOKEN: '', ...environment }
  const child = spawn(process.execPath, ['src/cli/edgemint.ts', 'keys', 'wrap', ...words], { env })
  const outputs = Promise.all([text(child.stdout), text(child.stderr)])
  const [code] = await once(child, 'exit')
  const [stdout, stderr] = await outputs
  return { code, stdout, stderr }
}

/** A Vault on a port of this machine. */
async function withVault(work: (url: string) => Promise<void>): Promise<void> {
  const vault = await fakeVault('ES256', NOW)
  const server = createServer(async (request, response) => {
    const { method = 'GET', url = '/', headers } = request
    const body = await buffer(request)
    const init = { method, headers: { 'X-Vault-Token': String(headers['x-vault-token']) }, body: body.toString() }
    const answer = await vault.fetch(`http://127.0.0.1${url}`, init)
    response.writeHead(answer.status, { 'Content-Type': 'application/json' }).end(await answer.text())
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  try {
    await work(`vault+http://127.0.0.1:${(server.address() as AddressInfo).port}/team/transit/edgemint`)
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

describe('edgemint keys wrap', () => {
  test('prints an entry that the service can decrypt', async () => {
    await withVault(async (url) => {
      const { code, stdout, stderr } = await run([url, '--issuer', ISSUER, '--id', 'a1'], { VAULT_TOKEN })
      assert.deepEqual([code, stderr], [0, ''])
      const [, id, entry = ''] = /^(\w+):(.*)\n$/.exec(stdout) ?? []
      assert.equal(id, 'a1')
      assert.match(readKeyUrl(entry).ciphertext ?? '', /^vault:v1:/)
      const json = await run([url, '--issuer', ISSUER, '--json'], { VAULT_TOKEN })
      assert.match(JSON.parse(json.stdout).entry, /^\d{10}:vault\+http:/)
    })
  })

  test('fails with the reason and without the credential', async () => {
    await withVault(async (url) => {
      const { code, stdout, stderr } = await run([url, '--issuer', ISSUER], { VAULT_TOKEN: 'hvs.wrong' })
      assert.deepEqual([code, stdout], [3, ''])
      assert.match(stderr, /status 403/)
      assert.doesNotMatch(stderr, /hvs\./)
    })
  })

  for (const [words, message] of [
    [['vault://vault.example/transit/mint', '--issuer', ISSUER], /VAULT_TOKEN is missing/],
    [['vault://vault.example/mint', '--issuer', ISSUER], /path is not \/MOUNT\/KEY/],
    [['vault://vault.example/transit/mint?alg=ES256', '--issuer', ISSUER], /no parameters/],
    [['vault+http://127.0.0.1:1/a/b', '--issuer', ISSUER, '--id', 'a:b'], /--id must be/],
  ] as const) {
    test(`refuses ${words.join(' ')}`, async () => {
      const { code, stderr } = await run(words)
      assert.equal(code, 2)
      assert.match(stderr, message)
    })
  }
})
