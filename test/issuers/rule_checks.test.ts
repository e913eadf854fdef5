import assert from 'node:assert/strict'
import * as v from 'valibot'
import { describe, test } from '#test'
import { fillIssuer, PRESET_NAMES, PRESETS, presetOf, usualIssuerOf } from '../../src/issuers/presets.ts'
import { problemOfRules, Rules } from '../../src/issuers/rule_checks.ts'
import { StoredRules } from '../../src/issuers/stored_rules.ts'
import type { ClaimRules } from '../../src/types.ts'

const problemOf = (rules: unknown) => {
  const read = v.safeParse(Rules, rules)
  return read.success ? undefined : read.issues[0].message
}

describe('rules, as they are submitted', () => {
  const accepted: readonly unknown[] = [
    { sub: 'a' },
    { sub: '' },
    { repository_id: '74', ref: { glob: 'refs/heads/release-*' } },
    { sub: { glob: 'a:**' }, run: 1, flag: false, names: ['a', ''] },
    { '/kubernetes.io/namespace': 'prod', 'oidc.circleci.com/project-id': 'x', '/~1a': 'x', '/https:~1~1a~1/b': 'x' },
    { a: { glob: 'x_*.x-*.x-*.x-*.x-*.x-*.x-*/**' } },
    { sub: 'x'.repeat(1024), many: Array(50).fill('x') },
    Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`c${index}`, 'x'])),
  ]
  for (const rules of accepted) {
    test(`accepts ${JSON.stringify(rules).slice(0, 80)}`, () => {
      assert.equal(problemOf(rules), undefined)
      assert.ok(v.is(StoredRules, rules))
    })
  }

  const refused: readonly [rules: unknown, problem: RegExp][] = [
    [{}, /must have a rule/],
    [[], /must be an object/],
    ['a', /must be an object/],
    [null, /must be an object/],
    [{ sub: null }, /"sub" must be a string, a list/],
    [{ sub: [] }, /"sub" must be a string, a list/],
    [{ sub: [1] }, /"sub" must be a string, a list/],
    [{ sub: [['a']] }, /"sub" must be a string, a list/],
    [{ sub: {} }, /"sub" must be a string, a list/],
    [{ sub: { glob: 1 } }, /"sub" must be a string, a list/],
    [{ run: 1.5 }, /whole number/],
    // Of larger numbers, several have the same value in JavaScript.
    [{ run: 2 ** 53 }, /whole number/],
    [{ sub: { glob: 'a-*', regex: '.*' } }, /"sub" must be a string, a list/],
    [{ sub: { regex: '.*' } }, /"sub" must be a string, a list/],
    [{ '': 'a' }, /must not be empty/],
    [{ ['x'.repeat(257)]: 'a' }, /at most 256 characters/],
    [{ sub: 'x'.repeat(1025) }, /at most 1024 characters/],
    [{ sub: Array(51).fill('x') }, /at most 50 values/],
    [Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`c${index}`, 'x'])), /at most 20 rules/],
    [JSON.parse('{"__proto__":"a"}'), /must not be the name of a part of all objects/],
    [{ constructor: 'a' }, /must not be the name of a part of all objects/],
    [JSON.parse('{"/a/__proto__":"a"}'), /must not be the name of a part of all objects/],
    [{ '/sub': 'a' }, /must be written without its slash/],
    [{ '/a~b/c': 'a' }, /must write ~ as ~0/],
    [{ iss: { glob: 'https://a/*' } }, /must be exact, because it is an id/],
    [{ aud: { glob: 'https://a/*' } }, /must be exact/],
    [{ repository_id: { glob: '7-*' } }, /must be exact/],
    [{ repositoryUuid: { glob: '{a-*' } }, /must be exact/],
    [{ 'oidc.circleci.com/project-id': { glob: 'a-*' } }, /must be exact/],
    [{ '/x/account_id': { glob: 'a-*' } }, /must be exact/],
    [{ ref: { glob: '*' } }, /must have a \* only after one of/],
    [{ ref: { glob: '**' } }, /must have a \* only after one of/],
    [{ sub: { glob: 'repo:ORG*/REPO' } }, /must have a \* only after one of/],
    [{ environment: { glob: 'prod*' } }, /must have a \* only after one of/],
    [{ environment: { glob: 'prod**' } }, /must have a \* only after one of/],
    [{ ref: { glob: 'a-**-b' } }, /must have \*\* at its end only/],
    [{ ref: { glob: 'a-***' } }, /must have \*\* at its end only/],
    [{ ref: { glob: 'main' } }, /must have a \* in its glob/],
    [{ ref: { glob: '' } }, /must have a \* in its glob/],
    [{ ref: { glob: 'a-*'.repeat(9) } }, /at most 8 times/],
  ]
  for (const [rules, problem] of refused) {
    test(`refuses ${JSON.stringify(rules).slice(0, 80)}`, () => assert.match(problemOf(rules) ?? '', problem))
  }
})

describe('rules that pin nothing', () => {
  const github = fillIssuer({ issuer: 'https://token.actions.githubusercontent.com' })
  const plain = fillIssuer({ issuer: 'https://issuer.example' })
  const spiffe = fillIssuer({ issuer: 'spiffe://example.org' })
  const cases: readonly [issuer: typeof plain, rules: ClaimRules, isPinned: boolean][] = [
    [github, { repository_id: '74' }, true],
    [github, { repository_owner_id: ['65', '66'], environment: 'production' }, true],
    [github, { repository: 'o/r', environment: 'production' }, false],
    [github, { sub: 'repo:o/r:environment:production' }, false],
    [github, { repository_id: '' }, false],
    [github, { repository_id: ['74', ''] }, false],
    [github, { repository_id: 74 }, true],
    [github, { repository_id: true }, false],
    [plain, { sub: 'a' }, true],
    [plain, { sub: { glob: 'a:*' } }, false],
    [plain, { email: 'a@example.com' }, false],
    [spiffe, { sub: 'spiffe://example.org/a' }, true],
    [spiffe, { sub: { glob: 'spiffe://example.org/ns/**' } }, true],
    [spiffe, { sub: { glob: 'spiffe://example.*/ns' } }, false],
    [spiffe, { sub: { glob: 'spiffe://*' } }, false],
    [spiffe, { other: 'a' }, false],
  ]
  for (const [issuer, rules, isPinned] of cases) {
    test(`${issuer.issuer} ${JSON.stringify(rules)}: ${isPinned}`, () => {
      assert.equal(problemOfRules(rules, issuer) === undefined, isPinned)
    })
  }

  test('the text names what to add', () => {
    assert.match(
      problemOfRules({ repository: 'o/r' }, github) ?? '',
      /pin at least one of repository_id, repository_owner_id/,
    )
    assert.match(problemOfRules({ email: 'a' }, plain) ?? '', /^must pin sub to an exact value/)
  })
})

describe('presets', () => {
  const issuers: readonly [issuer: string, preset: string | undefined][] = [
    ['https://token.actions.githubusercontent.com', 'github'],
    ['https://token.actions.githubusercontent.com/my-enterprise', 'github'],
    ['https://token.actions.githubusercontent.com.evil.example', undefined],
    ['https://gitlab.com', 'gitlab'],
    ['https://gitlab.example', undefined],
    ['https://oidc.circleci.com/org/7a3e', 'circleci'],
    ['https://oidc.vercel.com/team', 'vercel'],
    ['https://agent.buildkite.com', 'buildkite'],
    ['https://app.terraform.io', 'terraform'],
    ['https://oidc.fly.io/acme', 'fly'],
    ['https://accounts.google.com', 'google'],
    ['https://api.bitbucket.org/2.0/workspaces/w/pipelines-config/identity/oidc', 'bitbucket'],
    ['spiffe://example.org', 'spiffe'],
  ]
  for (const [issuer, preset] of issuers) test(`${issuer} is ${preset}`, () => assert.equal(presetOf(issuer), preset))

  test('each requires a claim, and the usual issuer of each has it', () => {
    for (const name of PRESET_NAMES) {
      const issuer = usualIssuerOf(name)
      const filled = fillIssuer({ issuer: issuer ?? 'https://issuer.example', preset: name })
      assert.ok(filled.required_claims.length > 0)
      if (issuer !== undefined) assert.equal(presetOf(issuer), name)
      assert.equal(filled.single_use, ['github', 'buildkite'].includes(name))
    }
    assert.equal(Object.keys(PRESETS).length, 13)
  })

  test('what is given counts more than the preset, and what is undefined does not count', () => {
    const { single_use, max_age, required_claims } = fillIssuer({
      issuer: 'https://gitlab.com',
      single_use: true,
      max_age: undefined,
    })
    assert.deepEqual([single_use, max_age, required_claims], [true, 3600, ['project_id', 'namespace_id']])
  })
})
