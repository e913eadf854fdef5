import assert from 'node:assert/strict'
import process from 'node:process'
import { describe, test } from '#test'
import { readAssertion } from '../../src/assertions/assertion.ts'
import { readBasic } from '../../src/authentication/basic.ts'
import { readDistinguishedName } from '../../src/certificates/distinguished_name.ts'
import { matchesGlob } from '../../src/issuers/claim_rules.ts'
import { decodeBase64url } from '../../src/lib/base64url.ts'
import { readDer } from '../../src/lib/der.ts'
import { readForm } from '../../src/lib/form.ts'
import { parseUniqueThroughout } from '../../src/lib/json.ts'
import { scopeMatcher } from '../../src/policy/scope_patterns.ts'
import { isHost } from '../../src/runtime/host_header.ts'

const octets = (text: string) => new TextEncoder().encode(text)

/** Inputs that grow with `n`, each the kind that some parser is quadratic for. */
const GROWING: readonly [name: string, read: (n: number) => () => unknown][] = [
  [
    'a form of separators',
    (n) => {
      const body = octets('&='.repeat(n))
      return () => readForm(body)
    },
  ],
  [
    'a form of escapes',
    (n) => {
      const body = octets(`a=${'%41'.repeat(n)}`)
      return () => readForm(body)
    },
  ],
  [
    'Basic of colons',
    (n) => {
      const header = `Basic ${btoa(':'.repeat(n))}`
      return () => readBasic(header)
    },
  ],
  [
    'Basic of spaces',
    (n) => {
      const header = `Basic${' '.repeat(n)}Og==`
      return () => readBasic(header)
    },
  ],
  [
    'JSON of one string',
    (n) => {
      const text = `{"a":"${'\\"'.repeat(n)}"}`
      return () => parseUniqueThroughout(text)
    },
  ],
  [
    'JSON of members',
    (n) => {
      const text = `{${Array.from({ length: n / 8 }, (_, i) => `"${i}":1`).join(',')}}`
      return () => parseUniqueThroughout(text)
    },
  ],
  [
    'JSON of open lists',
    (n) => {
      const text = '['.repeat(n)
      return () => parseUniqueThroughout(text)
    },
  ],
  [
    'base64url',
    (n) => {
      const text = 'A'.repeat(n)
      return () => decodeBase64url(text)
    },
  ],
  [
    'a JWT of dots',
    (n) => {
      const text = '.'.repeat(n / 4)
      return () => readAssertion(text)
    },
  ],
  [
    'a distinguished name of spaces',
    (n) => {
      const text = `CN=a${' '.repeat(n / 8)}b`
      return () => readDistinguishedName(text)
    },
  ],
  [
    'a distinguished name of backslashes',
    (n) => {
      const text = `CN=${'\\\\'.repeat(n / 8)} `
      return () => readDistinguishedName(text)
    },
  ],
  [
    'a distinguished name of attributes',
    (n) => {
      const text = `${'CN=a,'.repeat(n / 8)}CN=a`
      return () => readDistinguishedName(text)
    },
  ],
  [
    'DER of elements',
    (n) => {
      const all = new Uint8Array(n * 2)
      return () => readDer(all)
    },
  ],
  [
    'a glob of stars',
    (n) => {
      const [glob, text] = ['a*'.repeat(8), 'a'.repeat(n)]
      return () => matchesGlob(glob, text)
    },
  ],
  [
    'a host of labels',
    (n) => {
      const text = `${'a.'.repeat(n)}/`
      return () => isHost(text)
    },
  ],
  [
    'a scope of parts',
    (n) => {
      const matches = scopeMatcher(['a.*'])
      const scope = `a.${'b.'.repeat(n)}`
      let count = 0
      // A new text each time, because V8 keeps the parts of the last texts that it split.
      return () => matches(`${scope}${count++}`)
    },
  ],
]

const SMALL = 4096
const FACTOR = 16

/** What is linear takes 16 times as long, what is quadratic 256 times. */
const LIMIT = 96
const ROUNDS = 7
const MINIMUM_MICROSECONDS = 2000

/** Returns the CPU time, which does not depend on what else the machine does. */
function microsecondsOf(work: () => unknown, times: number): number {
  const begin = process.cpuUsage()
  for (let time = 0; time < times; time++) {
    try {
      work()
    } catch {
      // Refusing takes time, too.
    }
  }
  const { user, system } = process.cpuUsage(begin)
  return user + system
}

/** Returns how much longer the second takes, by the least time of each in several rounds that are long enough to be measured. */
function ratioOf(small: () => unknown, large: () => unknown): number {
  let times = FACTOR
  while (microsecondsOf(small, times) < MINIMUM_MICROSECONDS) times *= 2
  const rounds = Array.from({ length: ROUNDS }, () => [
    microsecondsOf(small, times) / times,
    microsecondsOf(large, times / FACTOR) / (times / FACTOR),
  ])
  const [least = 1, most = 0] = [0, 1].map((which) => Math.min(...rounds.map((round) => round[which] ?? 0)))
  return most / least
}

describe('a reader takes time in proportion to its input', () => {
  for (const [name, read] of GROWING) {
    test(name, () => {
      const ratio = ratioOf(read(SMALL), read(SMALL * FACTOR))
      assert.ok(ratio < LIMIT, `${FACTOR} times the input takes ${ratio.toFixed(1)} times the time`)
    })
  }
})
