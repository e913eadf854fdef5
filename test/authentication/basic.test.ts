import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { readBasic } from '../../src/authentication/basic.ts'
import { OAuthError } from '../../src/errors.ts'
import type { Reason } from '../../src/reasons.ts'

const binary = (text: string) => String.fromCharCode(...new TextEncoder().encode(text))
const basic = (text: string) => `Basic ${btoa(binary(text))}`

describe('readBasic', () => {
  const good: readonly [header: string, client_id: string, secret: string][] = [
    [basic('a:b'), 'a', 'b'],
    [basic('a:b').replace('Basic', 'bAsIc'), 'a', 'b'],
    [basic('a:b').replace(' ', '   '), 'a', 'b'],
    [basic(':'), '', ''],
    [basic('a:'), 'a', ''],
    [basic('a:b:c'), 'a', 'b:c'],
    [basic('a%3Ab:c+d%25'), 'a:b', 'c d%'],
    [basic('a:é'), 'a', 'é'],
    [basic('\ufeffa:\ufeffb'), '\ufeffa', '\ufeffb'],
    [basic('%EF%BB%BFa:b'), '\ufeffa', 'b'],
  ]
  for (const [header, client_id, secret] of good) {
    test(`reads ${header}`, () => assert.deepEqual(readBasic(header), { client_id, secret }))
  }

  const bad: readonly [header: string, reason: Reason][] = [
    ['', 'authorization_scheme_unknown'],
    ['Bearer a', 'authorization_scheme_unknown'],
    ['Basica YTpi', 'authorization_scheme_unknown'],
    ['Basic\tYTpi', 'authorization_scheme_unknown'],
    ['Basic', 'authorization_malformed'],
    ['Basic ', 'authorization_malformed'],
    // base64 that some decoders accept: spaces, padding in odd places, the other alphabet, a line end.
    ['Basic YTp i', 'authorization_malformed'],
    ['Basic YTpi ', 'authorization_malformed'],
    ['Basic Y\tTpi', 'authorization_malformed'],
    ['Basic YTpi\n', 'authorization_malformed'],
    ['Basic YTo===', 'authorization_malformed'],
    ['Basic YT=pi', 'authorization_malformed'],
    ['Basic YTp_', 'authorization_malformed'],
    ['Basic YTpi, Basic YTpi', 'authorization_malformed'],
    ['Basic Y', 'authorization_malformed'],
    [basic('ab'), 'authorization_malformed'],
    [basic('a:%'), 'authorization_malformed'],
    [basic('%zz:b'), 'authorization_malformed'],
    [basic('a:%ff'), 'authorization_malformed'],
    [`Basic ${btoa('a:\xff')}`, 'authorization_malformed'],
  ]
  for (const [header, reason] of bad) {
    test(`refuses ${JSON.stringify(header)}, and quotes nothing of it`, () => {
      assert.throws(
        () => readBasic(header),
        (error) => {
          assert.ok(error instanceof OAuthError && error.reason === reason)
          assert.equal(error.status, reason === 'authorization_malformed' ? 400 : 401)
          return error.cause === undefined && !error.message.includes('YTp')
        },
      )
    })
  }
})
