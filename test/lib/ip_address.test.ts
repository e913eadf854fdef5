import assert from 'node:assert/strict'
import { describe, test } from '#test'
import {
  isAddress,
  isInRanges,
  isLoopbackAddress,
  isPublicAddress,
  isRange,
  isSameAddress,
} from '../../src/lib/ip_address.ts'

/** Octal, hexadecimal, short and padded forms, which programs read differently. */
const AMBIGUOUS = [
  ...[
    '010.9.9.9',
    '10.09.9.9',
    '10.9',
    '10.9.9',
    '10',
    '012.0.0.7',
    '0x0a.9.9.9',
    '10.9.9.256',
    '10.9.9.9.',
    '.10.9.9.9',
  ],
  ...['10.9.9.9 ', ' 10.9.9.9', '10.9.9.9\n', '10.9.9.-9', '１０.9.9.9', '', 'proxy.example', '168364297'],
  ...[
    '[::1]',
    'fe80::1%eth0',
    '::ffff:010.9.9.9',
    '::ffff:10.9.9',
    '::10.9.9.9',
    '1::2::3',
    ':::',
    '12345::',
    '1:2:3:4:5:6:7',
  ],
  ...['1:2:3:4:5:6:7:8:9', '::g', ':1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8:', '::1 ', '::ffff:0x0a.9.9.9'],
]

describe('isAddress and isRange', () => {
  for (const text of AMBIGUOUS) {
    test(`refuse ${JSON.stringify(text)}, which then matches nothing`, () => {
      assert.deepEqual([isAddress(text), isRange(text), isRange(`${text}/8`)], [false, false, false])
      assert.equal(isSameAddress(text, text), false)
      for (const peer of ['10.9.9.9', '8.9.9.9', '10.0.0.9', '0.0.0.10', '10.0.0.7', '::1', 'fe80::1']) {
        assert.equal(isInRanges(peer, [text, `${text}/8`]), false)
      }
    })
  }

  for (const range of ['10.0.0.0/33', '10.0.0.0/08', '10.0.0.0/', '10.0.0.0/-1', '10.0.0.0/255.0.0.0', '::/129']) {
    test(`isRange refuses ${range}`, () => assert.equal(isRange(range), false))
  }

  for (const text of [
    '10.9.9.9',
    '0.0.0.0',
    '255.255.255.255',
    '::',
    '1:2:3:4:5:6:1.2.3.4',
    'ffff::1:1:11:1.2.3.41',
    '::FFFF:1.2.3.4',
  ]) {
    test(`accept ${text}`, () =>
      assert.deepEqual([isAddress(text), isRange(text), isRange(`${text}/8`)], [true, true, !/ffff:1/i.test(text)]))
  }

  test('agree with the URL parser on hexadecimal IPv6, for which the URL standard is strict', () => {
    const pieces = ['0', '1', 'ffff', '10', '256', '::', ':', 'a:', '12345', '1:', '8::']
    let accepted = 0
    // A fixed sequence of numbers, so that failures are reproducible.
    let state = 1
    const next = (below: number) => {
      state = (state * 48271) % 0x7fffffff
      return state % below
    }
    for (let index = 0; index < 20_000; index++) {
      const text = Array.from({ length: 1 + next(12) }, () => pieces[next(pieces.length)]).join('')
      if (!text.includes(':')) continue
      // Bun's parser ignores a single trailing colon.
      const isValid = !/[^:]:$/.test(text) && URL.canParse(`http://[${text}]/`)
      assert.equal(isAddress(text), isValid, text)
      if (isAddress(text)) accepted++
    }
    assert.ok(accepted > 50, `${accepted}`)
  })
})

describe('isInRanges', () => {
  const cases: readonly [peer: string, range: string, expected: boolean][] = [
    ['10.9.9.9', '10.9.9.9', true],
    ['10.9.9.8', '10.9.9.9', false],
    ['10.9.255.255', '10.9.0.0/16', true],
    ['10.10.0.0', '10.9.0.0/16', false],
    ['203.0.113.7', '0.0.0.0/0', true],
    ['::1', '0.0.0.0/0', false],
    ['::ffff:10.9.9.9', '10.9.9.9/32', true],
    ['[::ffff:10.9.9.9]', '10.9.9.9', true],
    ['10.9.9.9', '::ffff:10.9.9.9', true],
    ['10.9.9.9', '::ffff:10.9.9.9/128', true],
    ['::ffff:a09:909', '::ffff:10.9.0.0/112', true],
    ['10.8.9.9', '::ffff:10.9.0.0/112', false],
    ['10.9.9.9', '::ffff:0:0/96', true],
    ['10.9.9.9', '::ffff:0:0/95', false],
    ['10.9.9.9', '::/0', false],
    ['2001:db8::1', '::/0', true],
    ['2001:db8::1', '2001:DB8::/32', true],
    ['fe80::1%eth0', 'fe80::/10', true],
    ['/run/proxy.sock', '10.9.9.9', false],
  ]
  for (const [peer, range, expected] of cases) {
    test(`${peer} is ${expected ? '' : 'not '}in ${range}`, () => assert.equal(isInRanges(peer, [range]), expected))
  }

  test('a mapped prefix that would contain more than IPv4 is not a range', () => {
    assert.deepEqual([isRange('::ffff:0:0/96'), isRange('::ffff:0:0/95'), isRange('::/0')], [true, false, true])
  })
})

describe('isSameAddress', () => {
  test('compares octets', () => {
    assert.ok(isSameAddress('2001:db8::1', '2001:DB8:0:0:0:0:0:1'))
    assert.ok(isSameAddress('10.0.0.1', '10.0.0.1'))
    assert.ok(!isSameAddress('10.0.0.1', '10.0.0.2'))
    assert.ok(!isSameAddress('10.0.0.1', '::ffff:10.0.0.1'))
    assert.ok(isSameAddress('::ffff:a00:1', '::ffff:10.0.0.1'))
  })
})

describe('isPublicAddress and isLoopbackAddress', () => {
  const special = [
    ...['0.0.0.0', '10.0.0.1', '100.64.0.1', '127.0.0.1', '169.254.169.254', '172.16.0.1', '192.0.0.1', '192.0.2.1'],
    ...['192.88.99.1', '192.168.0.1', '198.18.0.1', '198.51.100.1', '203.0.113.1', '224.0.0.1', '240.0.0.1'],
    ...['255.255.255.255', '168.63.129.16', '::', '::1', '::10.0.0.1', '::a00:1', '::ffff:10.0.0.1', '64:ff9b::a00:1'],
    ...[
      '100::1',
      '100:0:0:1::1',
      '[100:0:0:1:ffff::]',
      '2001::1',
      '2001:db8::1',
      '2002:a00:1::',
      '3fff::1',
      'fc00::1',
      'fe80::1',
    ],
    ...['ff02::1', 'rubbish', '010.1.1.1', '8.8'],
  ]
  for (const text of special) {
    test(`${text} is not public`, () => assert.equal(isPublicAddress(text), false))
  }

  test('other addresses are public', () => {
    for (const text of ['93.184.216.34', '[2606:2800:220:1::1]', '168.63.129.17', '2600:0:0:1::1']) {
      assert.ok(isPublicAddress(text), text)
    }
  })

  test('loopback addresses are 127.0.0.0/8 and ::1, mapped or not', () => {
    for (const text of ['127.0.0.1', '127.255.255.255', '::1', '[::1]', '::ffff:127.0.0.1'])
      assert.ok(isLoopbackAddress(text))
    for (const text of ['128.0.0.1', '::2', '0177.0.0.1', '127.1', 'localhost']) assert.ok(!isLoopbackAddress(text))
  })
})
