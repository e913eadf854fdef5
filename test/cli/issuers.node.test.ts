import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after } from 'node:test'
import { exportJWK, generateKeyPair } from 'jose'
import { describe, test } from '#test'
import { edgemint } from '../support/cli.ts'
import { folder, operate, startOperated, TOKEN } from '../support/operated_server.ts'

const GITHUB = 'https://token.actions.githubusercontent.com'
const CLUSTER = 'https://kubernetes.default.svc.cluster.local'

const pair = await generateKeyPair('RS256', { extractable: true })
const publicJwk = { ...(await exportJWK(pair.publicKey)), kid: 'one', alg: 'RS256' }
const other = { ...(await exportJWK((await generateKeyPair('ES256', { extractable: true })).publicKey)), kid: 'two' }

const write = (name: string, value: unknown): string => {
  const file = join(folder, name)
  writeFileSync(file, JSON.stringify(value))
  return file
}
const keys = write('issuer-keys.json', { keys: [publicJwk] })
const otherKeys = write('other-keys.json', { keys: [other] })

describe('edgemint issuers', () => {
  const server = startOperated()
  after(async () => (await server).stop())

  const run = async (...words: string[]) => operate(await server, 'issuers', ...words)
  const json = async (...words: string[]) => {
    const { code, stdout, stderr } = await run(...words, '--json')
    assert.equal(code, 0, stderr)
    return JSON.parse(stdout)
  }
  const pipe = async (stdin: string, ...words: string[]) =>
    edgemint(['issuers', ...words], { EDGEMINT_URL: (await server).origin, EDGEMINT_TOKEN: TOKEN }, stdin)

  test('creates with a preset alone, shows, lists, updates and deletes', async () => {
    const made = await json('create', '--preset', 'github', '--jwks', keys)
    assert.deepEqual(
      [made.issuer, made.preset, made.single_use, made.required_claims],
      [GITHUB, 'github', true, ['repository_id', 'repository_owner_id']],
    )
    const again = await run('create', '--preset', 'github', '--jwks', keys)
    assert.deepEqual([again.code, again.stderr], [1, `edgemint: the issuer ${GITHUB} is already registered\n`])
    assert.deepEqual(await json('show', GITHUB), made)
    const shown = await run('get', GITHUB)
    assert.match(shown.stdout, /^required_claims +\["repository_id","repository_owner_id"\]$/m)
    assert.match(shown.stdout, /^kid +kty +alg +use\none +RSA +RS256$/m)
    assert.match((await run('list')).stdout, /^issuer +preset +keys .*\n.*github +inline .*active$/m)
    const words = ['--max-age', '600', '--no-single-use', '--audience', 'api://one', '--disabled', '--token-type', 'X']
    const changed = await json('update', GITHUB, ...words)
    const { max_age, single_use, audiences, disabled, token_types, jwks } = changed
    assert.deepEqual(
      [max_age, single_use, audiences, disabled, token_types, jwks],
      [600, false, ['api://one'], true, ['x'], made.jwks],
    )
    assert.match((await run('list')).stdout, / disabled$/m)
    const cleared = await json('update', GITHUB, '--no-disabled', '--clear', 'audiences', 'token_types')
    assert.deepEqual([cleared.disabled, cleared.audiences, cleared.token_types], [false, undefined, undefined])
    const asked = await run('delete', GITHUB)
    assert.deepEqual([asked.code, asked.stdout], [2, ''])
    assert.deepEqual(await json('delete', GITHUB, '--yes'), { deleted: GITHUB })
    const gone = await run('show', GITHUB)
    assert.deepEqual([gone.code, gone.stderr], [1, 'edgemint: not_found: There is no such trusted issuer.\n'])
  })

  test('set-keys replaces the keys of a cluster, from a file and from standard input', async () => {
    const set = JSON.stringify({ keys: [publicJwk] })
    const missing = await pipe(set, 'set-keys', CLUSTER, '-')
    assert.deepEqual([missing.code, missing.stdout], [1, ''])
    assert.match(missing.stderr, /Register it first: npx edgemint issuers create https:\S+ --jwks -\n$/)
    const made = await pipe(set, 'create', CLUSTER, '--preset', 'kubernetes', '--jwks', '-', '--json')
    assert.equal(made.code, 0, made.stderr)
    assert.deepEqual(JSON.parse(made.stdout).jwks, { keys: [publicJwk] })
    assert.deepEqual((await json('set-keys', CLUSTER, otherKeys)).jwks, { keys: [other] })
    const piped = await pipe(set, 'set-keys', CLUSTER, '-')
    assert.deepEqual([piped.code, piped.stderr], [0, ''])
    assert.match(piped.stdout, /^one +RSA +RS256$/m)
  })

  test('a trust domain has its bundle inline, and a new place of the keys takes the place of the old one', async () => {
    const bundle = write('bundle.json', { keys: [{ ...publicJwk, use: 'jwt-svid' }], spiffe_sequence: 1 })
    const made = await json('create', 'spiffe://example.org', '--jwks', bundle)
    assert.deepEqual([made.preset, made.signing_algs.length], ['spiffe', 9])
    const moved = ['spiffe://example.org', '--spiffe-bundle-endpoint', 'https://bundle.invalid/', '--disabled']
    const { jwks, spiffe_bundle_endpoint } = await json('update', ...moved)
    assert.deepEqual([jwks, spiffe_bundle_endpoint], [undefined, 'https://bundle.invalid/'])
    const back = await run('set-keys', 'spiffe://example.org', bundle)
    assert.equal(back.stderr, 'The server no longer fetches the keys itself, from https://bundle.invalid/.\n')
  })

  test('says what is wrong with the issuer, the preset and the keys, before anything is sent', async () => {
    const secret = write('private.json', { keys: [await exportJWK(pair.privateKey)] })
    for (const [words, message] of [
      [['create'], /name the issuer, .* or use --preset github\|gitlab\|google\|buildkite\|terraform\n/],
      [['create', '--preset', 'kubernetes'], /with kubernetes, each customer has an issuer of its own: name it/],
      [['create', '--preset', 'nothing'], /Allowed choices are github, /],
      [['create', 'http://issuer.example'], /the issuer http:\/\/issuer.example must be an https URL/],
      [['show', '..'], /the issuer \.\. must be an https URL/],
      [['delete', '', '--yes'], /It must not be empty/],
      [['set-keys', CLUSTER, secret], /holds a private or symmetric key; nothing was sent/],
      [['set-keys', CLUSTER, write('list.json', [publicJwk])], /It must be a JSON object/],
      [['set-keys', CLUSTER, write('none.json', { jwks: 1 })], /is not a JWK Set, \{"keys":\[…\]\}/],
      [['set-keys', CLUSTER, join(folder, 'nothing.json')], /ENOENT/],
      [['update', CLUSTER, '--max-age', 'soon'], /It must be a whole number/],
    ] as const) {
      // Nothing listens there.
      const ended = await edgemint(['issuers', ...words, '--url', 'http://localhost:1'], { EDGEMINT_TOKEN: TOKEN })
      assert.deepEqual([ended.code, ended.stdout], [2, ''], ended.stderr)
      assert.match(ended.stderr, message)
      assert.ok(!ended.stderr.includes('"d"'))
    }
  })

  test('shows why the server refuses an issuer', async () => {
    for (const [words, message] of [
      [['create', 'https://issuer.invalid'], /: The keys of the issuer cannot be fetched: /],
      [['create', CLUSTER], /jwks: is needed, because the issuer is not a public host/],
      [['create', GITHUB, '--preset', 'gitlab', '--jwks', keys], /preset: must be github for this issuer/],
      [
        ['create', GITHUB, '--jwks', keys, '--jwks-uri', 'https://a.example'],
        /jwks_uri: must not be combined with jwks/,
      ],
      [['create', GITHUB, '--jwks', keys, '--use', 'anything'], /uses.0: must be one of: client_authentication/],
    ] as const) {
      const { code, stdout, stderr } = await run(...words)
      assert.deepEqual([code, stdout], [1, ''])
      assert.match(stderr, message)
    }
  })
})
