import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { readDistinguishedName } from '../../src/certificates/distinguished_name.ts'

describe('readDistinguishedName', () => {
  const same: readonly [string, string][] = [
    ['CN=a,O=b', 'cn = a , o = b '],
    ['CN=a,O=b', '2.5.4.3=#0C0161,2.5.4.10=#130162'],
    ['CN=a+UID=1,O=b', 'UID=1+CN=a,O=b'],
    ['CN=M\\C3\\BCller', 'CN=Müller'],
    ['CN=a\\,b', 'CN=a\\2Cb'],
    ['CN=a\\\\', 'CN=a\\5c'],
    ['CN=\\ a\\ ', 'CN=\\20a\\20'],
    ['CN=100%', 'CN=100\\25'],
    ['emailAddress=a@b', '1.2.840.113549.1.9.1=#160461406200'.replace(/0461406200$/, '03614062')],
  ]
  for (const [one, other] of same) {
    test(`${one} is ${other}`, () => assert.equal(readDistinguishedName(one), readDistinguishedName(other)))
  }

  const different: readonly [string, string][] = [
    ['CN=a,O=b', 'O=b,CN=a'],
    ['CN=a,O=b', 'CN=a+O=b'],
    ['CN=a', 'CN=A'],
    ['CN=a,O=b', 'CN=a\\,O=b'],
    ['CN=a', 'CN=a\\ '],
    ['CN=a+O=b', 'CN=a\\+O=b'],
    ['CN=a', 'OU=a'],
  ]
  for (const [one, other] of different) {
    test(`${one} is not ${other}`, () => assert.notEqual(readDistinguishedName(one), readDistinguishedName(other)))
  }

  for (const text of [
    'a',
    '=a',
    'XX=a',
    'CN=a;O=b',
    'CN="a"',
    'CN=#zz',
    'CN=#0C05',
    'CN=#02017F',
    'CN=\\FF',
    'CN=a,O',
  ]) {
    test(`refuses ${text}`, () => assert.throws(() => readDistinguishedName(text)))
  }
})
