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
    ['CN=a=b', 'CN=a\\=b'],
    ['CN=a#b', 'CN=a\\#b'],
    ['CN=', 'CN=#0C00'],
    ['CN=a\nb', 'CN=a\\0Ab'],
    ['CN=ä€', 'CN=#1E0400E420AC'],
    ['CN=é', 'CN=#1401E9'],
    ['CN=é', 'CN=#0C02C3A9'],
    ['CN=a\\\\  ', 'CN=a\\5c'],
    ['CN=\\\\,O=b', 'CN=\\5c, O=b'],
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
    ['CN=a+UID=1,O=b', 'CN=a,UID=1,O=b'],
    ['CN=a', 'CN=a,CN=a'],
    ['CN=a', 'CN=a+CN=a'],
    ['CN=\ufeffa', 'CN=a'],
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
    // RFC 4514 §3: no part is empty, and every escape escapes something.
    ...[
      '',
      ' ',
      ',',
      '\\',
      '+',
      '=',
      'CN=a,',
      ',CN=a',
      'CN=a,,O=b',
      'CN=a+',
      '+CN=a',
      'CN=a++OU=b',
      'CN=a+,O=b',
      'CN=a,+O=b',
    ],
    ...['CN=a\\', 'CN=a\\4', 'CN=a\\g', 'CN=a\\é', 'CN=a\\\\\\', 'CN=a\0', 'CN=a<b', 'CN=a>b', 'CN=a"'],
    ...[
      '1=a',
      '2.=a',
      '.5=a',
      '2..5=a',
      '02.5.4.3=a',
      '2.5.04.3=a',
      'C N=a',
      '-CN=a',
      'CN',
      'CN=#',
      'CN=#0C0161,',
      'CN=#0C01610C0161',
      'CN=#0C01616',
      'CN=#0C016g',
      'CN=#0C 0161',
    ],
  ]) {
    test(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => readDistinguishedName(text)))
  }

  test('knows each short name by its identifier, in any letter case', () => {
    const names = {
      ...{ CN: '2.5.4.3', SERIALNUMBER: '2.5.4.5', C: '2.5.4.6', L: '2.5.4.7', ST: '2.5.4.8', STREET: '2.5.4.9' },
      ...{ O: '2.5.4.10', OU: '2.5.4.11', UID: '0.9.2342.19200300.100.1.1', DC: '0.9.2342.19200300.100.1.25' },
      emailAddress: '1.2.840.113549.1.9.1',
    }
    for (const [name, oid] of Object.entries(names)) {
      for (const spelling of [name, name.toLowerCase(), name.toUpperCase()]) {
        assert.equal(readDistinguishedName(`${spelling}=a`), readDistinguishedName(`${oid}=a`))
      }
    }
  })

  test('reads every character from its escaped form, and all but the special ones unescaped', () => {
    for (let code = 0; code < 0x180; code++) {
      const character = String.fromCharCode(code)
      const octets = [...new TextEncoder().encode(character)]
      const escaped = octets.map((octet) => `\\${octet.toString(16).padStart(2, '0')}`).join('')
      const whole = readDistinguishedName(`CN=x${escaped}x`)
      assert.ok(whole.includes(JSON.stringify(`2.5.4.3=x${character}x`)))
      if ('"+,;<>\\\0'.includes(character)) assert.notEqual(readOrNothing(`CN=x${character}x`), whole)
      else assert.equal(readDistinguishedName(`CN=x${character}x`), whole)
    }
  })
})

function readOrNothing(text: string): string | undefined {
  try {
    return readDistinguishedName(text)
  } catch {
    return undefined
  }
}
