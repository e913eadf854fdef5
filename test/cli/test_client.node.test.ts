import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after } from 'node:test'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { describe, test } from '#test'
import { edgemint } from '../support/cli.ts'
import { startHostileServer } from '../support/hostile_server.ts'
import { folder, operate, privateKey, startOperated } from '../support/operated_server.ts'

const write = (name: string, value: unknown): string => {
  const file = join(folder, name)
  writeFileSync(file, typeof value === 'string' ? value : JSON.stringify(value))
  return file
}

describe('edgemint clients test', () => {
  const server = startOperated()
  after(async () => (await server).stop())

  const create = async (...words: string[]) => {
    const { code, stdout, stderr } = await operate(await server, 'clients', 'create', ...words, '--json')
    assert.equal(code, 0, stderr)
    return JSON.parse(stdout)
  }
  /** Runs the command without the operator's token. */
  const run = async (words: readonly string[], secret = '', stdin = '') =>
    edgemint(
      ['clients', 'test', ...words],
      { EDGEMINT_URL: (await server).origin, EDGEMINT_CLIENT_SECRET: secret },
      stdin,
    )

  test('shows the token of a secret, decoded and verified, but not the token and not the secret', async () => {
    const { client_id, client_secret } = await create('--scope', 'read write')
    const { code, stdout, stderr } = await run([client_id, '--scope', 'read'], client_secret)
    assert.deepEqual([code, stderr], [0, ''])
    assert.match(stdout, /^The token is valid: signature, issuer and time\.$/m)
    assert.match(stdout, /^scope +read$/m)
    assert.match(stdout, /^alg +ES256$/m)
    assert.match(stdout, new RegExp(`^client_id +${client_id}$`, 'm'))
    assert.match(stdout, /^exp +\d{4}-.*Z$/m)
    assert.ok(!stdout.includes(client_secret))
    assert.doesNotMatch(stdout, /eyJ/)
  })

  test('reads the secret from standard input, and prints JSON', async () => {
    const { client_id, client_secret } = await create('--scope', 'read')
    const { code, stdout, stderr } = await run([client_id, '--secret-stdin', '--json'], '', `${client_secret}\n`)
    assert.deepEqual([code, stderr], [0, ''])
    const { token_type, header, claims, access_token } = JSON.parse(stdout)
    assert.deepEqual(
      [token_type, header.typ, claims.client_id, access_token],
      ['bearer', 'at+jwt', client_id, undefined],
    )
  })

  test('sends the secret in the form with --auth-method client_secret_post, and suggests the method if it is refused', async () => {
    const { client_id, client_secret } = await create('--auth-method', 'client_secret_post')
    assert.equal((await run([client_id, '--auth-method', 'client_secret_post'], client_secret)).code, 0)
    const refused = await run([client_id], client_secret)
    assert.deepEqual([refused.code, refused.stdout], [1, ''])
    assert.match(refused.stderr, /^edgemint: invalid_client: .* is client_secret_basic its method\?\n$/)
  })

  test('encodes the id and the secret for HTTP Basic', async () => {
    const id = 'a:b c%+'
    const { client_secret } = await create('--id', id)
    assert.equal((await run([id], client_secret)).code, 0)
  })

  test('signs an assertion with --client-key, of a JWK and of a JWK Set, and requests a resource', async () => {
    const resource = 'https://rs.example'
    assert.equal((await operate(await server, 'resources', 'create', resource)).code, 0)
    for (const [alg, kid] of [
      ['ES256', 'one'],
      ['RS256', undefined],
      ['EdDSA', undefined],
    ] as const) {
      const pair = await generateKeyPair(alg, { extractable: true })
      const named = { ...(kid !== undefined && { kid }) }
      const jwks = write('public.json', { keys: [{ ...(await exportJWK(pair.publicKey)), ...named }] })
      const { client_id } = await create('--auth-method', 'private_key_jwt', '--jwks', jwks, '--resource', resource)
      const jwk = { ...(await exportJWK(pair.privateKey)), ...named }
      for (const value of [jwk, { keys: [jwk] }]) {
        const words = [client_id, '--client-key', write('private.json', value), '--resource', resource, '--json']
        const { code, stdout, stderr } = await run(words)
        assert.equal(code, 0, stderr)
        assert.deepEqual(JSON.parse(stdout).claims.aud, resource)
      }
    }
  })

  test('refuses a missing secret and a file without a private key, with exit code 2, without quoting it', async () => {
    const pair = await generateKeyPair('ES256', { extractable: true })
    const jwk = await exportJWK(pair.publicKey)
    for (const [words, message] of [
      [['a'], /EDGEMINT_CLIENT_SECRET is not set, and there is no terminal/],
      [['a', '--secret-stdin'], /standard input contains no secret/],
      [['a', '--client-key', write('public.json', jwk)], /neither a private JWK nor/],
      [['a', '--client-key', write('text.json', 'top secret')], /neither a private JWK nor/],
      [['a', '--client-key', write('broken.json', { ...jwk, d: 'AAAA' })], /cannot sign with ES256/],
      [['a', '--client-key', join(folder, 'missing.json')], /ENOENT/],
      [['a', '--auth-method', 'private_key_jwt'], /private_key_jwt needs --client-key FILE/],
      [['a', '--auth-method', 'tls_client_auth'], /tls_client_auth needs --cert FILE and --key FILE/],
      [['a', '--key', 'key.pem'], /--cert and --key belong together/],
    ] as const) {
      const { code, stdout, stderr } = await run(words)
      assert.deepEqual([code, stdout], [2, ''], stderr)
      assert.match(stderr, message)
      assert.doesNotMatch(stderr, /top secret|AAAA/)
    }
  })
})

describe('edgemint clients test, of a hostile server', async () => {
  const hostile = await startHostileServer()
  const issuer = 'https://tokens.example'
  const other = await generateKeyPair('ES256', { extractable: true })
  const sign = (key: typeof privateKey, iss: string, exp: number | string) =>
    new SignJWT({}).setProtectedHeader({ alg: 'ES256' }).setIssuer(iss).setExpirationTime(exp).sign(key)
  const keys = [{ ...(await exportJWK(other.publicKey)), alg: 'ES256' }]

  for (const [name, access_token, jwks, message] of [
    ['no token', undefined, { keys }, /malformed: access_token is not a string/],
    ['a token that is no JWT', 'a\u001b[2J', { keys }, /the token cannot be verified: /],
    ['a token of another key', await sign(privateKey, issuer, '1h'), { keys }, /cannot be verified: signature/],
    [
      'a token of another issuer',
      await sign(other.privateKey, 'https://other.example', '1h'),
      { keys },
      /unexpected "iss"/,
    ],
    ['an expired token', await sign(other.privateKey, issuer, 1), { keys }, /"exp" claim timestamp check failed/],
    [
      'no key set',
      await sign(other.privateKey, issuer, '1h'),
      { keys: 7 },
      /cannot be verified: JSON Web Key Set malformed/,
    ],
  ] as const) {
    test(`reports ${name}, with exit code 1`, async () => {
      const url = hostile.serve((_method, path) => {
        if (path === '/token') return { body: { access_token } }
        return { body: path.endsWith('jwks.json') ? jwks : { issuer } }
      })
      const words = ['clients', 'test', 'a', '--url', url, '--issuer', issuer]
      const ended = await edgemint(words, { EDGEMINT_CLIENT_SECRET: 'b' })
      assert.deepEqual([ended.code, ended.stdout], [1, ''])
      assert.match(ended.stderr, message)
    })
  }

  /** Serves metadata with an issuer, and collects the forms that are sent to the token endpoint. */
  const impersonate = (named: (url: string) => unknown) => {
    const requests: string[] = []
    const url: string = hostile.serve((_method, path) => {
      requests.push(path)
      return path === '/token' ? { status: 400, body: { error: 'seen' } } : { body: { issuer: named(url) } }
    })
    return { url, requests }
  }
  const privateJwk = write('own-key.json', await exportJWK(other.privateKey))

  test('sends neither an assertion nor a secret if the issuer is not the URL of the server', async () => {
    for (const [named, message] of [
      [
        () => issuer,
        /names the issuer https:\/\/tokens\.example and not http:\/\/127\.0\.0\.1:\d+\/\d+, .* --issuer URL/,
      ],
      [(url: string) => `${url}/other`, /names the issuer/],
      [(url: string) => `${url}//`, /names the issuer/],
      [(url: string) => url.toUpperCase(), /names the issuer/],
      [(url: string) => [url], /issuer is not a string/],
    ] as const) {
      for (const words of [['--client-key', privateJwk], []]) {
        const { url, requests } = impersonate(named)
        const ended = await edgemint(['clients', 'test', 'a', '--url', url, ...words], { EDGEMINT_CLIENT_SECRET: 'b' })
        assert.deepEqual([ended.code, ended.stdout], [1, ''])
        assert.match(ended.stderr, message)
        assert.deepEqual(requests, ['/.well-known/oauth-authorization-server'])
      }
    }
  })

  test('accepts an issuer that differs from the URL in a final slash, and the one of --issuer', async () => {
    for (const [named, words] of [
      [(url: string) => url, []],
      [(url: string) => `${url}/`, []],
      [() => issuer, ['--issuer', issuer]],
      [() => issuer, ['--issuer', `${issuer}/`]],
    ] as const) {
      const { url, requests } = impersonate(named)
      const ended = await edgemint(['clients', 'test', 'a', '--url', url, '--client-key', privateJwk, ...words])
      assert.match(ended.stderr, /^edgemint: seen\n$/)
      assert.equal(requests.at(-1), '/token')
    }
    const { url, requests } = impersonate((own) => own)
    const ended = await edgemint(['clients', 'test', 'a', '--url', url, '--client-key', privateJwk, '--issuer', issuer])
    assert.match(ended.stderr, /and not https:\/\/tokens\.example, so/)
    assert.equal(requests.length, 1)
  })
})
