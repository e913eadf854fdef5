import assert from 'node:assert/strict'
import { exec, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import process from 'node:process'
import { after } from 'node:test'
import { exportJWK, exportPKCS8, generateKeyPair, SignJWT } from 'jose'
import { describe, test } from '#test'
import { base64Of, ca, leaf, plain, self } from '../support/certificates.ts'
import { edgemint } from '../support/cli.ts'
import { startHostileServer } from '../support/hostile_server.ts'
import { folder, operate, privateKey, TOKEN } from '../support/operated_server.ts'
import { startServer } from '../support/process.ts'
import { startTlsProxy } from '../support/tls_proxy.ts'

const MAIN = resolve('src/cli/edgemint.ts')

const write = (name: string, text: string): string => {
  const file = join(folder, name)
  writeFileSync(file, text)
  return file
}

/** A server that trusts the certificates of its proxy, and requires nonces. */
const server = await startServer(async (port) => ({
  command: 'node src/index.ts',
  environment: {
    ISSUER: `http://localhost:${port}`,
    SIGNING_KEYS: await exportPKCS8(privateKey),
    PORT: `${port}`,
    REGISTRATION_TOKEN: TOKEN,
    STORE_URL: 'memory:',
    DPOP_NONCE_REQUIRED: 'true',
    TRUSTED_PROXIES: '127.0.0.1,::1',
    CLIENT_CERT_VERIFIED: 'true',
  },
}))
after(() => server.stop())

async function create(metadata: object): Promise<{ client_id: string; client_secret: string }> {
  const file = write('metadata.json', JSON.stringify(metadata))
  const { code, stdout, stderr } = await operate(server, 'clients', 'create', '--metadata', file, '--json')
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout)
}

describe('edgemint clients test, with DPoP', () => {
  const run = (words: readonly string[], environment: Record<string, string> = {}) =>
    edgemint(['clients', 'test', ...words], { EDGEMINT_URL: server.origin, ...environment })

  test('--dpop binds the token to a new key, with the nonce of the server', async () => {
    const { client_id, client_secret } = await create({})
    const { code, stdout, stderr } = await run([client_id, '--dpop'], { EDGEMINT_CLIENT_SECRET: client_secret })
    assert.deepEqual([code, stderr], [0, ''])
    assert.match(stdout, /^It is bound to the key of the DPoP proof\.$/m)
    assert.match(stdout, /^token_type +DPoP$/m)
    assert.match(stdout, /^cnf +\{"jkt":"[\w-]{43}"\}$/m)
  })

  test('signs a new assertion with the nonce, too', async () => {
    const pair = await generateKeyPair('ES256', { extractable: true })
    const jwks = { keys: [await exportJWK(pair.publicKey)] }
    const { client_id } = await create({ token_endpoint_auth_method: 'private_key_jwt', jwks })
    const key = write('private.json', JSON.stringify(await exportJWK(pair.privateKey)))
    const { code, stderr } = await run([client_id, '--client-key', key, '--dpop'])
    assert.deepEqual([code, stderr], [0, ''])
  })

  test('follows the record of the client if the operator is there, and otherwise says which option is missing', async () => {
    const { client_id, client_secret } = await create({
      dpop_bound_access_tokens: true,
      token_endpoint_auth_method: 'client_secret_post',
    })
    const EDGEMINT_CLIENT_SECRET = client_secret
    const { code, stdout } = await run([client_id, '--json'], { EDGEMINT_CLIENT_SECRET, EDGEMINT_TOKEN: TOKEN })
    assert.equal(code, 0)
    assert.match(JSON.parse(stdout).claims.cnf.jkt, /^[\w-]{43}$/)
    const bare = await run([client_id, '--auth-method', 'client_secret_post'], { EDGEMINT_CLIENT_SECRET })
    assert.equal(bare.code, 1)
    assert.match(bare.stderr, /invalid_dpop_proof: .* --dpop sends one\.\n$/)
  })

  test('refuses a token that is bound to another key or to none, and asks for a nonce once only', async () => {
    const hostile = await startHostileServer()
    const issuer = 'https://tokens.example'
    const keys = [{ ...(await exportJWK((await generateKeyPair('ES256')).publicKey)), alg: 'ES256' }]
    const pair = await generateKeyPair('ES256', { extractable: true })
    const own = { keys: [{ ...(await exportJWK(pair.publicKey)), alg: 'ES256' }] }
    for (const cnf of [undefined, { jkt: 'other' }]) {
      const claims = new SignJWT({ ...(cnf && { cnf }) }).setProtectedHeader({ alg: 'ES256' }).setIssuer(issuer)
      const access_token = await claims.setExpirationTime('1h').sign(pair.privateKey)
      const url = hostile.serve((_method, path) => {
        if (path === '/token') return { body: { access_token } }
        return { body: path.endsWith('jwks.json') ? own : { issuer } }
      })
      const ended = await run(['a', '--dpop', '--url', url, '--issuer', issuer], { EDGEMINT_CLIENT_SECRET: 'b' })
      assert.equal(ended.code, 1)
      assert.match(ended.stderr, /the token is not bound to the key of the DPoP proof/)
    }
    let requests = 0
    const url = hostile.serve((_method, path) => {
      if (path !== '/token') return { body: path.endsWith('jwks.json') ? { keys } : { issuer } }
      requests += 1
      return { status: 400, headers: { 'DPoP-Nonce': `n${requests}` }, body: { error: 'use_dpop_nonce' } }
    })
    const ended = await run(['a', '--dpop', '--url', url, '--issuer', issuer], { EDGEMINT_CLIENT_SECRET: 'b' })
    assert.deepEqual([ended.code, requests, ended.stderr], [1, 2, 'edgemint: use_dpop_nonce\n'])
  })
})

describe('edgemint clients test, with a certificate', async () => {
  const proxy = await startTlsProxy(server.origin, false)
  after(() => proxy.stop())
  const authority = write('ca.pem', ca.certificate)
  const identity = (name: string, { key, certificate }: typeof leaf | typeof plain | typeof self) => [
    ...['--cert', write(`${name}.pem`, certificate), '--key', write(`${name}-key.pem`, key)],
  ]
  const byCa = await create({
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_san_dns: 'svc.example',
    tls_client_certificate_bound_access_tokens: true,
  })
  const bySelf = await create({
    token_endpoint_auth_method: 'self_signed_tls_client_auth',
    jwks: { keys: [{ kty: 'EC', x5c: [base64Of(self.certificate)] }] },
  })
  const bySecret = await create({ tls_client_certificate_bound_access_tokens: true })

  for (const command of ['node', 'bun', 'deno run --allow-all'] as const) {
    const run = (words: readonly string[], EDGEMINT_CLIENT_SECRET = '') =>
      new Promise<{ code: number | null; stdout: string; stderr: string }>((done) => {
        const line = [command, MAIN, 'clients', 'test', ...words, '--ca', authority, '--issuer', server.origin].join(
          ' ',
        )
        const env = { ...process.env, EDGEMINT_URL: proxy.origin, EDGEMINT_TOKEN: '', EDGEMINT_CLIENT_SECRET }
        exec(line, { env }, (error, stdout, stderr) =>
          done({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
        )
      })

    test(`${command}: authenticates by tls_client_auth, and the token is bound to the certificate`, async () => {
      const { code, stdout, stderr } = await run([byCa.client_id, ...identity('leaf', leaf)])
      assert.deepEqual([code, stderr], [0, ''])
      assert.match(stdout, /^It is bound to the certificate\.$/m)
      assert.match(stdout, /^cnf +\{"x5t#S256":"[\w-]{43}"\}$/m)
    })

    test(`${command}: authenticates by self_signed_tls_client_auth, and by a secret with a bound token`, async () => {
      const one = await run([bySelf.client_id, ...identity('self', self)])
      assert.deepEqual([one.code, one.stderr], [0, ''])
      const other = await run([bySecret.client_id, ...identity('self', self)], bySecret.client_secret)
      assert.deepEqual([other.code, other.stderr], [0, ''])
      assert.match(other.stdout, /^It is bound to the certificate\.$/m)
    })

    test(`${command}: says that the certificate is wrong or missing`, async () => {
      const wrong = await run([byCa.client_id, ...identity('self', self)])
      assert.equal(wrong.code, 1)
      assert.match(wrong.stderr, /Are the id and the certificate right, and is tls_client_auth its method\?\n$/)
      const none = await run([bySecret.client_id], bySecret.client_secret)
      assert.equal(none.code, 1)
      assert.match(none.stderr, /--cert FILE and --key FILE present one\.\n$/)
    })
  }

  test('Deno: refuses a certificate of version 1, with which it would crash', async () => {
    const words = ['test', 'a', '--url', proxy.origin, ...identity('plain', plain)].join(' ')
    const { status, stderr } = spawnSync(`deno run --allow-all ${MAIN} clients ${words}`, {
      shell: true,
      encoding: 'utf8',
    })
    const line = 'edgemint: Deno cannot present a certificate of X.509 version 1; use Node, Bun or one of version 3\n'
    assert.deepEqual([status, stderr], [2, line])
  })

  test('refuses a key of another certificate and files without PEM, with exit code 2', async () => {
    const [cert = '', key = '', other = ''] = [
      write('a.pem', leaf.certificate),
      write('a-key.pem', leaf.key),
      write('b-key.pem', plain.key),
    ]
    for (const [words, message] of [
      [['--cert', cert, '--key', other], /b-key\.pem is not the key of the first certificate/],
      [['--cert', cert, '--key', cert], /contains no private key in PEM/],
      [['--cert', key, '--key', key], /contains no PEM certificate/],
      [['--cert', cert], /--cert and --key belong together/],
    ] as const) {
      const { code, stderr } = await edgemint(['clients', 'test', 'a', ...words])
      assert.equal(code, 2)
      assert.match(stderr, message)
    }
  })
})
