import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { findClaim, matchesClaims, matchesGlob } from '../../src/issuers/claim_rules.ts'
import type { ClaimRules } from '../../src/types.ts'

const pod = JSON.parse(
  '{"kubernetes.io":{"namespace":"prod","pod":{"name":"a","uid":"1"}},"a/b":{"~":1},"/c":"d","list":[{"x":1}],"__proto__":{"admin":true}}',
) as Record<string, unknown>

describe('findClaim', () => {
  const found: readonly [name: string, value: unknown][] = [
    ['kubernetes.io', pod['kubernetes.io']],
    ['/kubernetes.io/namespace', 'prod'],
    ['/kubernetes.io/pod/uid', '1'],
    ['/a~1b/~0', 1],
    ['a/b', { '~': 1 }],
    ['/~1c', 'd'],
    ['/kubernetes.io/pod/absent', undefined],
    ['/kubernetes.io/namespace/length', undefined],
    ['/list/0', undefined],
    ['/list/length', undefined],
    ['toString', undefined],
    ['/kubernetes.io/constructor/name', undefined],
    ['constructor', undefined],
    ['', undefined],
  ]
  for (const [name, value] of found) {
    test(`${name} is ${JSON.stringify(value)}`, () => assert.deepEqual(findClaim(pod, name), value))
  }

  test('a member named __proto__ is a member like any other, and no more', () => {
    assert.deepEqual(findClaim(pod, '/__proto__/admin'), true)
    assert.equal(findClaim(pod, 'admin'), undefined)
    assert.equal(findClaim({}, '__proto__'), undefined)
  })
})

describe('matchesGlob', () => {
  const cases: readonly [glob: string, matching: readonly string[], others: readonly string[]][] = [
    [
      'refs/heads/release-*',
      ['refs/heads/release-1', 'refs/heads/release-*'],
      ['refs/heads/release-', 'refs/heads/release-1/x', 'refs/heads/release', 'xrefs/heads/release-1'],
    ],
    [
      'repo:o/r:ref:refs/heads/*',
      ['repo:o/r:ref:refs/heads/main'],
      [
        'repo:o/r:ref:refs/heads/a/b',
        'repo:o/r:ref:refs/heads/',
        'repo:o/r:ref:refs/tags/main',
        'repo:o/r:ref:refs/heads/a:b',
      ],
    ],
    [
      'repo:o/r:**',
      ['repo:o/r:x', 'repo:o/r:ref:refs/heads/a/b', 'repo:o/r::'],
      ['repo:o/r:', 'repo:o/r-evil:x', 'repo:o/r'],
    ],
    [
      'spiffe://td/ns/*/sa/*',
      ['spiffe://td/ns/a/sa/b'],
      ['spiffe://td/ns/a/b/sa/c', 'spiffe://td/ns//sa/c', 'spiffe://td/ns/a/sa/', 'spiffe://td/ns/a/sa/b/c'],
    ],
    ['a-*-b', ['a-x-b', 'a-x-y-b', 'a-b-b', 'a---b'], ['a--b', 'a-b', 'a-x-c', 'a-x/y-b']],
    ['a-*-*-b', ['a-1-2-b', 'a-1-2-3-b', 'a-----b'], ['a-1-b', 'a---b']],
    ['a.*.c/**', ['a.b.c/d', 'a.b.c/d/e', 'a.b.c.c/d'], ['a..c/d', 'a.b.c/', 'a.b/c.c/d']],
    ['v-*.x', ['v-1.x', 'v-1.x.x'], ['v-1.x.', 'v-.x', 'v-1.xx']],
    ['[a-z]+-*', ['[a-z]+-1'], ['abc-1', 'a-1']],
    ['a?-*', ['a?-b'], ['ab-b']],
    ['(a+)+-*$', ['(a+)+-x$'], ['aaa-x']],
    ['\\-*', ['\\-*', '\\-x'], ['-*']],
    ['é-*', ['é-ü', 'é-😀'], ['e\u0301-x']],
    ['a-*', ['a-\n', 'a- '], ['A-b', 'a-']],
  ]
  for (const [glob, matching, others] of cases) {
    test(glob, () => {
      for (const text of matching) assert.ok(matchesGlob(glob, text), text)
      for (const text of others) assert.ok(!matchesGlob(glob, text), text)
    })
  }

  test('agrees with a search that tries everything', () => {
    const slow = (glob: string, text: string): boolean => {
      if (glob === '') return text === ''
      if (glob === '**') return text !== ''
      if (glob[0] !== '*') return glob[0] === text[0] && slow(glob.slice(1), text.slice(1))
      for (let length = 1; length <= text.length && !':/'.includes(text[length - 1] ?? ''); length++) {
        if (slow(glob.slice(1), text.slice(length))) return true
      }
      return false
    }
    // A small generator, so that a failure repeats.
    let seed = 1
    const next = (): number => {
      seed = (seed * 48271) % 2147483647
      return seed
    }
    const pick = (letters: string, most: number): string =>
      Array.from({ length: (next() % most) + 1 }, () => letters[next() % letters.length]).join('')
    for (let round = 0; round < 20_000; round++) {
      const glob = pick('a-:*', 7)
        .replaceAll(/\*{2,}(?!$)/g, '*')
        .replace(/\*{3,}$/, '**')
      const text = pick('a-:', 9)
      assert.equal(matchesGlob(glob, text), slow(glob, text), `${glob} ${text}`)
    }
  })

  test('takes time in proportion to the length, whatever the glob', () => {
    const text = `${'a-'.repeat(8000)}:`
    assert.ok(!matchesGlob('a-*-*-*-*-*-*-*-*', text))
    assert.ok(matchesGlob('a-*-*-*-*-*-*-*-*:', text))
  })
})

describe('matchesClaims', () => {
  const claims = {
    sub: 'system:serviceaccount:prod:deployer',
    aud: ['https://a'],
    text: '74',
    number: 74,
    flag: true,
    words: ['a', 'b'],
    nested: [['a'], { a: 1 }, null],
    nothing: null,
    object: { a: 1 },
    empty: '',
    ...pod,
  }
  const cases: readonly [name: string, rules: ClaimRules, isMatch: boolean][] = [
    ['equal', { text: '74' }, true],
    ['any of', { text: ['1', '74'] }, true],
    ['none of', { text: ['1', '2'] }, false],
    ['all of several rules', { text: '74', flag: true, '/kubernetes.io/namespace': 'prod' }, true],
    ['one of several rules does not hold', { text: '74', flag: false }, false],
    ['no rules', {}, false],
    ['a number against text', { text: 74 }, false],
    ['text against a number', { number: '74' }, false],
    ['any of, against a number', { number: ['74'] }, false],
    ['a number', { number: 74 }, true],
    ['text against a boolean', { flag: 'true' }, false],
    ['another letter case', { sub: 'System:serviceaccount:prod:deployer' }, false],
    ['a glob against a number', { number: { glob: '7-*' } }, false],
    ['one of a list', { words: 'b' }, true],
    ['any of, one of a list', { words: ['c', 'a'] }, true],
    ['a glob, one of a list', { '/kubernetes.io/namespace': 'prod', words: 'a' }, true],
    ['a list in a list', { nested: 'a' }, false],
    ['an absent claim', { absent: '' }, false],
    ['null', { nothing: 'null' }, false],
    ['an object', { object: '[object Object]' }, false],
    ['the empty text', { empty: '' }, true],
    ['a list for aud', { aud: 'https://a' }, false],
    ['a member of all objects', { toString: 'x' }, false],
  ]
  for (const [name, rules, isMatch] of cases) {
    test(`${name}: ${isMatch}`, () => assert.equal(matchesClaims(rules, claims), isMatch))
  }

  test('sub as a list does not match, though its only element would', () => {
    assert.ok(!matchesClaims({ sub: 'a' }, { sub: ['a'] }))
    assert.ok(!matchesClaims({ iss: 'a' }, { iss: ['a'] }))
  })
})
