import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { describe, test } from '#test'
import { fillIssuer } from '../../src/issuers/presets.ts'
import { edgemint } from '../support/cli.ts'
import { TOKEN } from '../support/operated_server.ts'
import { GITHUB, tokenFile, workloadToken } from '../support/workload.ts'

const OWN = 'https://tokens.example'
const PLAIN = 'https://issuer.example'
const SPIFFE = 'spiffe://example.org'
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u
const ODD = '\u001b]0;owned\u0007\u202e\r\nedgemint: accepted'

const production = { repository_id: '74', environment: 'production' }
const claims = { ...production, repository: 'octo-org/billing' }
const now = Math.floor(Date.now() / 1000)

const clients: Readonly<Record<string, object>> = {
  ci: {
    token_endpoint_auth_method: 'federated_jwt',
    federated_credentials: [
      { id: 'tags', label: 'Tags', issuer: GITHUB, claims: { repository_id: '74', ref: { glob: 'refs/tags/*' } } },
      { id: 'names', issuer: GITHUB, claims: { repository: 'octo-org/billing' } },
      { id: 'prod', label: 'Production', issuer: GITHUB, claims: production },
      { id: 'old', issuer: PLAIN, claims: { sub: 'a' }, expires_at: now - 60 },
      { id: 'slash', issuer: 'https://slash.example/', claims: { sub: 'a' } },
      { id: 'gone', issuer: 'https://gone.example', claims: { sub: 'a' } },
      { id: 'off', issuer: 'https://off.example', claims: { sub: 'a' } },
      { id: 'never', issuer: '../register', claims: { sub: 'a' } },
    ],
  },
  svid: {
    token_endpoint_auth_method: 'spiffe_jwt',
    federated_credentials: [{ id: 'one', issuer: SPIFFE, claims: { sub: `${SPIFFE}/a` } }],
  },
  secret: { federated_credentials: [{ id: 'prod', issuer: GITHUB, claims: production }] },
  disabled: {
    disabled: true,
    token_endpoint_auth_method: 'federated_jwt',
    federated_credentials: [{ id: 'prod', issuer: GITHUB, claims: production }],
  },
  odd: {
    token_endpoint_auth_method: 'federated_jwt',
    federated_credentials: [{ id: ODD, label: ODD, issuer: GITHUB, claims: { repository_id: '74', [ODD]: ODD } }],
  },
  wrong: { federated_credentials: [{ id: 1 }] },
  none: { token_endpoint_auth_method: 'federated_jwt' },
}
const issuers: readonly object[] = [
  { issuer: GITHUB, audiences: ['api://one'] },
  { issuer: PLAIN },
  { issuer: 'https://off.example', disabled: true },
  { issuer: 'https://slash.example/' },
  { issuer: SPIFFE, spiffe_bundle_endpoint: 'https://bundle.example/' },
].map(fillIssuer)

/** Everything that the command sent. */
const sent: string[] = []
const listener = createServer(async (request, response) => {
  const { method, url = '', headers } = request
  sent.push(`${method} ${url} ${JSON.stringify(headers)} ${await text(request)}`)
  const [, kind, id = ''] = url.split('/').map(decodeURIComponent)
  const body =
    kind === 'register'
      ? clients[id]
      : kind === 'issuers'
        ? issuers.find((each) => 'issuer' in each && each.issuer === id)
        : { issuer: OWN }
  response.writeHead(body === undefined ? 404 : 200)
  response.end(JSON.stringify(body ?? { error: 'not_found', error_description: 'There is no such record.' }))
}).listen(0, '127.0.0.1')
await once(listener, 'listening')
listener.unref()
const url = `http://127.0.0.1:${(listener.address() as { port: number }).port}`

/** Runs the command, and requires that no part of the token was sent or printed. */
async function explain(token: string, { client = 'ci', more = [] as string[], given = '-' } = {}) {
  const before = sent.length
  const words = ['clients', 'trust', client, '--explain', given, '--url', url, ...more]
  const ended = await edgemint(words, { EDGEMINT_TOKEN: TOKEN }, given === '-' ? `${token}\n` : '')
  const all = [...sent.slice(before), ended.stdout, ended.stderr].join('\n')
  for (const part of token.split('.').filter(({ length }) => length > 10)) assert.ok(!all.includes(part), part)
  for (const request of sent.slice(before)) assert.match(request, /^GET .* $/)
  for (const line of all.split('\n')) assert.doesNotMatch(line, UNSEEN)
  return ended
}

const good = await workloadToken(OWN, claims)

describe('edgemint clients trust --explain', () => {
  test('names the credential that a token matches, of a file, of standard input and of an argument', async () => {
    for (const given of ['-', tokenFile('good.jwt', good), good]) {
      const { code, stdout, stderr } = await explain(good, { given })
      assert.deepEqual([code, stderr], [0, ''])
      assert.match(stdout, /^The token matches the credential prod, Production\.\nNot checked here: its signature, /)
    }
  })

  test('prints JSON', async () => {
    const accepted = JSON.parse((await explain(good, { more: ['--json'] })).stdout)
    assert.deepEqual(
      [accepted.accepted, accepted.reason, accepted.credential, accepted.issuer, accepted.not_checked],
      [true, undefined, 'prod', GITHUB, ['signature', 'single_use']],
    )
    const token = await workloadToken(OWN, { ...claims, environment: ODD })
    const { code, stdout } = await explain(token, { more: ['--json'] })
    const { accepted: isAccepted, reason, comparisons } = JSON.parse(stdout)
    assert.deepEqual([code, isAccepted, reason], [1, false, 'federation_no_rule'])
    assert.deepEqual(comparisons[2].mismatches, [{ claim: 'environment', expected: 'production', found: ODD }])
  })

  test('says which rules do not hold, and what others lack', async () => {
    const { code, stdout } = await explain(await workloadToken(OWN, { ...claims, environment: ODD }))
    assert.equal(code, 1)
    assert.match(stdout, /^It would be refused with federation_no_rule: .* no credential of ci for it matches$/m)
    assert.match(stdout, /^tags +Tags +ref +\{"glob":"refs\/tags\/\*"\} +\(absent\)$/m)
    assert.match(stdout, /^names +the rules must pin at least one of repository_id/m)
    assert.match(stdout, /^prod +Production +environment +"production" +"\\u001b\]0;owned/m)
    assert.doesNotMatch(stdout, /^edgemint: accepted/m)
  })

  const refused: readonly (readonly [more: object, header: object, reason: string, why: RegExp])[] = [
    [
      { aud: 'https://other.example' },
      {},
      'assertion_aud_wrong',
      /must be https:\/\/tokens.example or api:\/\/one, alone/,
    ],
    [{ aud: [OWN, 'a'] }, {}, 'assertion_aud_wrong', /its aud is \["https:\/\/tokens.example","a"\]/],
    [{ exp: now - 600 }, {}, 'assertion_expired', /it expired at \d{4}-.*Z, \d+ s ago/],
    [{ exp: undefined }, {}, 'assertion_exp_missing', /it has no exp that is a number/],
    [{ exp: '1' }, {}, 'assertion_exp_missing', /it has no exp that is a number/],
    [{ nbf: now + 600 }, {}, 'assertion_not_yet_valid', /its nbf \d{4}-.* is not an instant in the past/],
    [{ iat: now - 7200, exp: now + 600 }, {}, 'assertion_too_old', /issued 72\d\d s ago, and max_age .* 3600 s/],
    [{ iat: undefined, exp: now + 7200 }, {}, 'assertion_too_old', /it has no iat, and its exp is more than max_age/],
    [{ sub: '' }, {}, 'assertion_sub_wrong', /its sub is absent, empty or too long/],
    [{ jti: undefined }, {}, 'assertion_jti_missing', /it has no jti, and tokens of its issuer are accepted once/],
    [{}, { typ: 'at+jwt' }, 'assertion_typ_wrong', /its typ is "at\+jwt"/],
    [
      {},
      { alg: 'PS256' },
      'assertion_alg_not_allowed',
      /its alg is "PS256", and the issuer's signing_algs are RS256, ES256/,
    ],
    [{ iss: undefined }, {}, 'federation_issuer_unknown', /its iss is absent, which is not a string/],
    [{ iss: SPIFFE }, {}, 'federation_issuer_unknown', /is a trust domain, for which .* method spiffe_jwt/],
    [{ iss: OWN }, {}, 'federation_issuer_unknown', /it is a token of this server/],
    [
      { iss: `https://a.example/${ODD}` },
      {},
      'federation_issuer_unknown',
      /no credential of ci names its issuer "https:/,
    ],
    [{ iss: 'https://slash.example' }, {}, 'federation_issuer_unknown', /one names https:\/\/slash.example\/, and the/],
    [{ iss: PLAIN, sub: 'a' }, {}, 'federation_issuer_unknown', /the credential old for its issuer expired at \d{4}/],
    [
      { iss: 'https://gone.example', sub: 'a' },
      {},
      'federation_issuer_unknown',
      /not a trusted issuer; register it: npx edgemint issuers create https:\/\/gone.example/,
    ],
    [
      { iss: 'https://off.example', sub: 'a' },
      {},
      'federation_issuer_unknown',
      /issuer https:\/\/off.example is disabled/,
    ],
  ]
  for (const [more, header, reason, why] of refused) {
    test(`${reason}: ${why.source}`, async () => {
      // The header is changed after signing: the signature is not checked.
      const token = await workloadToken(OWN, { ...claims, ...more })
      const { code, stdout, stderr } = await explain(withHeader(token, header))
      assert.deepEqual([code, stderr], [1, ''])
      assert.match(stdout, new RegExp(`^It would be refused with ${reason}: .*${why.source}`, 'm'))
    })
  }

  test('says why a text is no token, and never quotes it', async () => {
    const [header, payload] = good.split('.')
    for (const [token, message] of [
      [`${header}.${payload}`, /assertion_malformed: it is not a signed JWT: it has 2 parts instead of three/],
      [`${good}.more.parts`, /it has 5 parts instead of three/],
      ['top-secret-opaque-token', /it has one part instead of three/],
      [`${header}.${'A'.repeat(16 * 1024)}.AAAA`, /it has more than 16384 characters/],
      [`${header}.bm90LWpzb24tYXQtYWxs.AAAA`, /not canonical base64url of JSON objects/],
      [withHeader(good, { b64: false }), /assertion_crit: its header has crit or b64/],
      [withHeader(good, { alg: 'none' }), /its alg is "none"/],
      [withHeader(good, { kid: 7 }), /its kid is not a string/],
    ] as const) {
      const { code, stdout } = await explain(token)
      assert.equal(code, 1)
      assert.match(stdout, message)
      assert.ok(!stdout.includes('top-secret'))
    }
    for (const given of [`.${good}`, 'missing.jwt', tokenFile('empty.jwt', ' ')]) {
      const { code, stdout, stderr } = await explain(good, { given })
      assert.deepEqual([code, stdout], [2, ''])
      assert.match(stderr, /^edgemint: (the token is neither a JWT nor in a file|there is no token)/)
    }
  })

  test('reads a JWT-SVID of a client with spiffe_jwt', async () => {
    const usual = { iss: undefined, jti: undefined, sub: `${SPIFFE}/a` }
    const accepted = await explain(await workloadToken(OWN, usual), { client: 'svid' })
    assert.deepEqual([accepted.code, accepted.stdout.split('\n')[0]], [0, 'The token matches the credential one.'])
    for (const [token, message] of [
      [await workloadToken(OWN, { ...usual, sub: 'a' }), /assertion_sub_wrong: its sub, "a", is not a SPIFFE ID/],
      [await workloadToken(OWN, usual, { jku: 'https://a.example' }), /JWT-SVID has alg, kid and typ only/],
      [
        await workloadToken(OWN, { ...usual, sub: `${SPIFFE}/b` }),
        /sub +"spiffe:\/\/example.org\/a" +"spiffe:.*\/b"$/m,
      ],
    ] as const) {
      const { code, stdout } = await explain(token, { client: 'svid' })
      assert.equal(code, 1)
      assert.match(stdout, message)
    }
  })

  test('says what keeps the client from using a good token', async () => {
    const secret = await explain(good, { client: 'secret' })
    assert.equal(secret.code, 1)
    assert.match(
      secret.stdout,
      /^The token matches .*\nsecret authenticates by client_secret_basic, .* need federated_jwt/,
    )
    const disabled = await explain(good, { client: 'disabled' })
    assert.deepEqual([disabled.code, disabled.stdout.split('\n')[1]], [1, 'disabled is disabled.'])
    const none = await explain(good, { client: 'none' })
    assert.match(none.stdout, /no credential of none names its issuer/)
  })

  test('does not trust the records of the server either', async () => {
    const odd = await explain(await workloadToken(OWN, { ...claims, [ODD]: 'a' }), { client: 'odd' })
    assert.equal(odd.code, 1)
    assert.doesNotMatch(odd.stdout, /^edgemint: accepted/m)
    const wrong = await explain(good, { client: 'wrong' })
    assert.deepEqual([wrong.code, wrong.stdout], [1, ''])
    assert.match(wrong.stderr, /malformed: federated_credentials is not a list of credentials/)
    const unknown = await explain(good, { client: 'nothing' })
    assert.deepEqual([unknown.code, unknown.stderr], [1, 'edgemint: not_found: There is no such record.\n'])
  })
})

function withHeader(token: string, more: object): string {
  const [header = '', ...others] = token.split('.')
  const changed = { ...JSON.parse(atob(header)), ...more }
  return [btoa(JSON.stringify(changed)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, ''), ...others].join(
    '.',
  )
}
