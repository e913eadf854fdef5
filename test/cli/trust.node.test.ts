import assert from 'node:assert/strict'
import { after } from 'node:test'
import { describe, test } from '#test'
import { edgemint } from '../support/cli.ts'
import { operate, startOperated, TOKEN } from '../support/operated_server.ts'
import { bundleFile, GITHUB, keysFile, tokenFile, workloadToken } from '../support/workload.ts'

const CLUSTER = 'https://kubernetes.default.svc.cluster.local'
const ENTERPRISE = 'https://github.example'
const EVENTS = ['push', 'schedule', 'workflow_dispatch', 'repository_dispatch', 'release', 'deployment', 'merge_group']
const REPOSITORY = ['--github', 'octo-org/billing', '--repository-id', '74']

describe('edgemint clients trust', () => {
  const server = startOperated()
  after(async () => (await server).stop())

  const run = async (...words: string[]) => operate(await server, ...words)
  const json = async (...words: string[]) => {
    const { code, stdout, stderr } = await run(...words, '--json')
    assert.equal(code, 0, stderr)
    return JSON.parse(stdout)
  }
  const trust = (...words: string[]) => json('clients', 'trust', 'billing', ...words)

  test('says how to register the issuer, and how the client has to authenticate', async () => {
    await json('clients', 'create', '--id', 'billing', '--scope', 'invoices.*')
    const unknown = await run('clients', 'trust', 'nothing', ...REPOSITORY)
    assert.deepEqual([unknown.code, unknown.stderr], [1, 'edgemint: not_found: There is no such client.\n'])
    for (const [words, command] of [
      [REPOSITORY, 'npx edgemint issuers create --preset github'],
      [
        ['--kubernetes', CLUSTER, '--service-account', 'a/b'],
        `kubectl get --raw /openid/v1/jwks | npx edgemint issuers create ${CLUSTER} --preset kubernetes --jwks -`,
      ],
      [
        ['--kubernetes', 'https://k8s.example/$(id)', '--service-account', 'a/b'],
        "npx edgemint issuers create 'https://k8s.example/$(id)' --preset kubernetes",
      ],
      [
        ['--spiffe', 'spiffe://example.org/a'],
        'npx edgemint issuers create spiffe://example.org --spiffe-bundle-endpoint URL',
      ],
    ] as const) {
      const { code, stdout, stderr } = await run('clients', 'trust', 'billing', ...words)
      assert.deepEqual([code, stdout], [1, ''])
      assert.ok(stderr.endsWith(`is not a trusted issuer. Register it first: ${command}\n`), stderr)
    }
    for (const words of [
      ['--preset', 'github', '--jwks', keysFile],
      [CLUSTER, '--preset', 'kubernetes', '--jwks', keysFile],
      ['spiffe://example.org', '--jwks', bundleFile],
      ['https://accounts.example/', '--jwks', keysFile],
      [`${ENTERPRISE}/_services/token`, '--preset', 'github', '--jwks', keysFile],
    ])
      await json('issuers', 'create', ...words)
    const slash = await run(
      ...['clients', 'trust', 'billing', '--issuer', 'https://accounts.example', '--claims', '{"sub":"a"}'],
    )
    assert.match(slash.stderr, /https:\/\/accounts\.example\/ is one, and the final slash counts/)
    const { code, stdout, stderr } = await run('clients', 'trust', 'billing', ...REPOSITORY)
    assert.equal(code, 0)
    assert.match(stdout, /^label +octo-org\/billing$/m)
    assert.match(stderr, /^Every workflow of the repository is trusted; --environment or --branch narrows that\.$/m)
    assert.match(stderr, /^Workflows that pull requests start are not trusted; /m)
    const change = 'npx edgemint clients update billing --auth-method federated_jwt'
    assert.ok(stderr.endsWith(`need federated_jwt. Change it: ${change}\n`), stderr)
    await json('clients', 'update', 'billing', '--auth-method', 'federated_jwt')
    const svid = await run('clients', 'trust', 'billing', '--spiffe', 'spiffe://example.org/a')
    assert.match(svid.stderr, /^billing authenticates by federated_jwt, and .* need spiffe_jwt\. Change it: /)
  })

  const cases: readonly (readonly [words: readonly string[], issuer: string, claims: object, label?: string])[] = [
    [
      [...REPOSITORY, '--environment', 'production'],
      GITHUB,
      { repository_id: '74', environment: 'production', event_name: EVENTS },
      'octo-org/billing production',
    ],
    [
      [...REPOSITORY, '--branch', 'main', '--tag', 'v1', '--event', 'push', '--repository-owner-id', '65'],
      GITHUB,
      {
        repository_id: '74',
        repository_owner_id: '65',
        ref: ['refs/heads/main', 'refs/tags/v1'],
        event_name: 'push',
      },
      'octo-org/billing main v1',
    ],
    [
      ['--github', 'octo-org', '--repository-owner-id', '65', '--branch', 'release-*', '--event', 'any'],
      GITHUB,
      { repository_owner_id: '65', ref: { glob: 'refs/heads/release-*' } },
      'octo-org release-*',
    ],
    [
      [...REPOSITORY, '--claims', '{"event_name":["push","pull_request"],"runner_environment":"github-hosted"}'],
      GITHUB,
      { repository_id: '74', event_name: ['push', 'pull_request'], runner_environment: 'github-hosted' },
      'octo-org/billing',
    ],
    [
      ['--issuer', `${ENTERPRISE}/_services/token`, ...REPOSITORY, '--event', 'push', '--event', 'release'],
      `${ENTERPRISE}/_services/token`,
      { repository_id: '74', event_name: ['push', 'release'] },
      'octo-org/billing',
    ],
    [
      ['--kubernetes', CLUSTER, '--service-account', 'payments/billing', '--label', 'pods'],
      CLUSTER,
      { sub: 'system:serviceaccount:payments:billing' },
      'pods',
    ],
    [['--spiffe', 'spiffe://Example.org/ns/A'], 'spiffe://example.org', { sub: 'spiffe://example.org/ns/A' }, 'ns/A'],
    [
      ['--spiffe', 'spiffe://example.org/ns/ci/**'],
      'spiffe://example.org',
      { sub: { glob: 'spiffe://example.org/ns/ci/**' } },
      'ns/ci/**',
    ],
    [
      ['--issuer', 'https://accounts.example/', '--claims', '{"sub":"1082"}'],
      'https://accounts.example/',
      { sub: '1082' },
    ],
  ]
  for (const [words, issuer, claims, label] of cases) {
    test(`${words.join(' ')} becomes ${JSON.stringify(claims)}`, async () => {
      const added = await trust(...words)
      assert.deepEqual([added.issuer, added.claims, added.label], [issuer, claims, label])
    })
  }

  test('gitlab pins the project, and protected branches and tags only', async () => {
    await json('issuers', 'create', '--preset', 'gitlab', '--jwks', keysFile)
    const words = ['--gitlab', 'octo/billing', '--project-id', '20', '--lifetime', '300', '--expires', '90d']
    const { id: _id, created_at, expires_at, ...added } = await trust(...words, '--branch', 'main')
    assert.deepEqual(added, {
      label: 'octo/billing main',
      issuer: 'https://gitlab.com',
      claims: { project_id: '20', ref: 'main', ref_type: 'branch', ref_protected: 'true' },
      access_token_lifetime: 300,
    })
    assert.ok(Math.abs(expires_at - created_at - 90 * 86_400) < 60)
    assert.deepEqual((await trust(...words, '--unprotected')).claims, { project_id: '20' })
  })

  test('show has a table of credentials, and untrust removes one', async () => {
    const { id } = await trust('--issuer', 'https://accounts.example/', '--claims', '{"sub":"9"}', '--label', 'nine')
    const shown = await run('clients', 'show', 'billing')
    assert.match(shown.stdout, /^credential id +label +issuer +claims +expires$/m)
    assert.match(shown.stdout, new RegExp(`^${id} +nine +https://accounts.example/ +{"sub":"9"} +never$`, 'm'))
    assert.equal((await run('clients', 'untrust', 'billing', id)).code, 2)
    assert.equal((await run('clients', 'untrust', 'billing', id, '--yes')).stdout, `removed ${id}\n`)
    for (const dots of ['.', '..']) assert.equal((await run('clients', 'untrust', 'billing', dots, '--yes')).code, 2)
    const gone = await run('clients', 'untrust', 'billing', id, '--yes')
    assert.match(gone.stderr, /There is no such federated credential/)
  })

  test('refuses options that do not fit, and rules that pin nothing, with what to add', async () => {
    for (const [words, message] of [
      [[], /name what to trust: --github, --gitlab, --kubernetes, --spiffe, or --issuer and --claims/],
      [
        ['--github', 'octo-org/billing'],
        /add --repository-id NUMBER, which `gh api repos\/octo-org\/billing --jq \.id` prints/,
      ],
      [['--github', 'octo-org'], /add --repository-owner-id NUMBER, which `gh api users\/octo-org --jq \.id` prints/],
      [['--github', 'a/b/c', '--repository-id', '1'], /is not OWNER\/REPO/],
      [[...REPOSITORY, '--repository-id', 'x'], /It must be a number/],
      [[...REPOSITORY, '--environment', ''], /It must not be empty/],
      [[...REPOSITORY, '--branch', 'rel*'], /"ref" must have a \* only after one of/],
      [[...REPOSITORY, '--branch', 'a-*', '--branch', 'b'], /cannot be combined with others/],
      [[...REPOSITORY, '--claims', '{"repository_id":"75"}'], /--claims and another option both set repository_id/],
      [[...REPOSITORY, '--spiffe', 'spiffe://a/b'], /--github and --spiffe cannot be combined/],
      [['--gitlab', 'octo/billing'], /add --project-id NUMBER, which `glab api projects\/octo%2Fbilling \| jq \.id`/],
      [['--gitlab', 'octo/billing', '--project-id', '1', '--branch', 'a', '--tag', 'b'], /--branch and --tag cannot/],
      [['--kubernetes', CLUSTER], /needs --service-account NAMESPACE\/NAME/],
      [['--kubernetes', CLUSTER, '--service-account', 'a/b:c'], /needs --service-account NAMESPACE\/NAME/],
      [
        ['--kubernetes', CLUSTER, '--service-account', 'a/b', '--branch', 'c'],
        /--branch is for --github and --gitlab only/,
      ],
      [['--kubernetes', CLUSTER, '--service-account', 'a/b', '--issuer', GITHUB], /--issuer cannot be combined/],
      [['--spiffe', 'spiffe://example.org'], /is not a SPIFFE ID such as/],
      [['--spiffe', 'spiffe://*/a'], /is not a SPIFFE ID such as/],
      [['--issuer', GITHUB], /--issuer needs --claims/],
      [['--issuer', GITHUB, '--claims', '{}'], /claims must have a rule/],
      [['--issuer', GITHUB, '--claims', '{"sub":"a"}', '--repository-id', '1'], /--repository-id is for --github only/],
      [['--explain', 'a.jwt', '--label', 'b'], /--explain adds nothing, so it cannot be combined with --label/],
    ] as const) {
      const url = ['--url', 'http://localhost:1']
      const ended = await edgemint(['clients', 'trust', 'billing', ...words, ...url], { EDGEMINT_TOKEN: TOKEN })
      assert.deepEqual([ended.code, ended.stdout], [2, ''], ended.stderr)
      assert.match(ended.stderr, message)
    }
    const claims = '{"repository":"octo-org/billing"}'
    const unpinned = await run('clients', 'trust', 'billing', '--issuer', GITHUB, '--claims', claims)
    assert.equal(unpinned.code, 2)
    assert.match(unpinned.stderr, /must pin at least one of repository_id, repository_owner_id .* `gh api repos\/OWNER/)
  })
})

describe('edgemint clients test, of a client without a secret', () => {
  const server = startOperated()
  after(async () => (await server).stop())

  test('gets a token with that of the platform, and prints neither', async () => {
    const running = await server
    const { origin } = running
    for (const words of [
      ['issuers', 'create', '--preset', 'github', '--jwks', keysFile],
      ['issuers', 'create', 'spiffe://example.org', '--jwks', bundleFile],
      ['clients', 'create', '--id', 'ci', '--auth-method', 'federated_jwt', '--scope', 'read'],
      ['clients', 'create', '--id', 'svid', '--auth-method', 'spiffe_jwt', '--scope', 'read'],
      ['clients', 'trust', 'ci', ...REPOSITORY, '--event', 'any'],
      ['clients', 'trust', 'svid', '--spiffe', 'spiffe://example.org/a'],
    ]) {
      const { code, stderr } = await operate(running, ...words)
      assert.equal(code, 0, stderr)
      const isNew = words.includes('--auth-method')
      assert.equal(stderr, isNew ? 'It trusts no tokens yet; clients trust adds them.\n' : stderr)
    }
    const ask = (words: readonly string[], stdin = '') =>
      edgemint(['clients', 'test', ...words], { EDGEMINT_URL: origin }, stdin)
    const token = await workloadToken(origin, { repository_id: '74' })
    const file = tokenFile('ci.jwt', token)
    const first = await ask(['ci', '--token', file, '--scope', 'read'])
    assert.deepEqual([first.code, first.stderr], [0, ''])
    assert.match(first.stdout, /^client_id +ci$/m)
    assert.doesNotMatch(first.stdout, /eyJ/)
    // Each token of GitHub is accepted once.
    const second = await ask(['ci', '--token', file])
    assert.equal(second.code, 1)
    assert.match(second.stderr, /^edgemint: invalid_client: .* clients trust ID --explain FILE says more\.\n$/)
    const svid = await workloadToken(origin, { iss: undefined, jti: undefined, sub: 'spiffe://example.org/a' })
    for (const more of [[], ['--auth-method', 'spiffe_jwt'], ['--json']]) {
      const { code, stderr } = await ask(['svid', '--token', '-', ...more], svid)
      assert.equal(code, 0, stderr)
    }
    const missing = 'edgemint: federated_jwt needs --token FILE\n'
    assert.deepEqual((await ask(['ci', '--auth-method', 'federated_jwt'])).stderr, missing)
    // The record says how the client authenticates.
    const recorded = await operate(running, 'clients', 'test', 'ci')
    assert.deepEqual([recorded.code, recorded.stderr], [2, missing])
    for (const given of [`x${token}`, tokenFile('empty.jwt', '')]) {
      const ended = await ask(['ci', '--token', given])
      assert.equal(ended.code, 2)
      assert.ok(!ended.stderr.includes(token.slice(-40)))
    }
  })
})
