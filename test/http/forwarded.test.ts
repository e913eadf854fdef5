import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { forwardedAddress } from '../../src/http/forwarded.ts'
import { isAddress } from '../../src/lib/ip_address.ts'

const findAddress = forwardedAddress(['10.0.0.0/8', '2001:db8:ffff::/48'])
const find = (headers: Record<string, string>, peer = '10.0.0.1') => findAddress(new Headers(headers), peer)

describe('the address of a caller', () => {
  for (const [peer, address] of [
    ['192.0.2.7', '192.0.2.7'],
    ['2001:db8::7', '2001:db8::7'],
    ['fe80::1%eth0', 'fe80::1%eth0'],
    ['11.0.0.1', '11.0.0.1'],
  ] as const) {
    test(`is ${address} of the peer ${peer}, whatever its fields say`, () => {
      for (const name of ['X-Forwarded-For', 'Forwarded'])
        assert.equal(find({ [name]: name === 'Forwarded' ? 'for=1.2.3.4' : '1.2.3.4' }, peer), address)
    })
  }

  test('is that of the peer where no proxy is trusted', () => {
    assert.equal(forwardedAddress([])(new Headers({ 'X-Forwarded-For': '1.2.3.4' }), '10.0.0.1'), '10.0.0.1')
  })

  for (const [field, address] of [
    ['192.0.2.7', '192.0.2.7'],
    ['203.0.113.9, 192.0.2.7', '192.0.2.7'],
    ['203.0.113.9,192.0.2.7 , 10.0.0.2,  10.1.2.3', '192.0.2.7'],
    ['10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['forged, 192.0.2.7', '192.0.2.7'],
    ['"forged, 192.0.2.7', '192.0.2.7'],
    [`${'9.9.9.9,'.repeat(10_000)}192.0.2.7`, '192.0.2.7'],
    ['192.0.2.7:4711', '192.0.2.7'],
    ['[2001:db8::7]:4711', '2001:db8::7'],
    ['[2001:db8::7]', '2001:db8::7'],
    ['2001:DB8:0:0::7', '2001:db8::7'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['192.0.2.7, 2001:db8:ffff::1', '192.0.2.7'],
    [',192.0.2.7,,', '192.0.2.7'],
    ['', '10.0.0.1'],
    [',', '10.0.0.1'],
    ['unknown', '10.0.0.1'],
    ['192.0.2.7, unknown', '10.0.0.1'],
    ['192.0.2.7, 10.0.0.2 10.0.0.3', '10.0.0.1'],
    ['192.0.2.7:port', '10.0.0.1'],
    ['010.0.0.9', '10.0.0.1'],
    ['192.0.2.300', '10.0.0.1'],
    ['2001:db8::7:4711:', '10.0.0.1'],
    ['x'.repeat(100_000), '10.0.0.1'],
  ] as const) {
    test(`is ${address} for X-Forwarded-For: ${field.slice(0, 60)}`, () => {
      assert.equal(find({ 'X-Forwarded-For': field }), address)
    })
  }

  for (const [field, address] of [
    ['for=192.0.2.7', '192.0.2.7'],
    ['For="[2001:db8:cafe::17]:4711"', '2001:db8:cafe::17'],
    ['for=192.0.2.7;proto=http;by=203.0.113.43', '192.0.2.7'],
    ['proto=https; for="192.0.2.7:80" ;host="a, for=1.1.1.1"', '192.0.2.7'],
    ['for=1.1.1.1, for=192.0.2.7, for=10.0.0.2', '192.0.2.7'],
    ['for="1.1.1.1, for=192.0.2.7', '192.0.2.7'],
    ['for=192.0.2.7;host="a\\", for=1.1.1.1;x=\\""', '192.0.2.7'],
    ['for="192.0.2.\\7"', '192.0.2.7'],
    ['for=unknown', '10.0.0.1'],
    ['for=_hidden, for=10.0.0.2', '10.0.0.1'],
    ['for=192.0.2.7;for=192.0.2.8', '10.0.0.1'],
    ['by=192.0.2.7', '10.0.0.1'],
    ['192.0.2.7', '10.0.0.1'],
    ['for=192.0.2.7 for=192.0.2.8', '10.0.0.1'],
    [`for=192.0.2.7;host=${'x'.repeat(600)}`, '10.0.0.1'],
  ] as const) {
    test(`is ${address} for Forwarded: ${field.slice(0, 60)}`, () => assert.equal(find({ Forwarded: field }), address))
  }

  test('is that of the proxy where the two fields disagree', () => {
    const mine = { Forwarded: 'for=192.0.2.7' }
    assert.equal(find({ ...mine, 'X-Forwarded-For': '192.0.2.7' }), '192.0.2.7')
    assert.equal(find({ ...mine, 'X-Forwarded-For': '192.0.2.8' }), '10.0.0.1')
    assert.equal(find({ ...mine, 'X-Forwarded-For': 'forged' }), '10.0.0.1')
  })

  test('is never chosen by a caller, whatever precedes what the proxy adds', () => {
    const pieces = [
      '1.1.1.1',
      ',',
      ';',
      '=',
      '"',
      '\\',
      'for',
      ' ',
      '[',
      ']',
      ':',
      '::1',
      '10.0.0.9',
      '%',
      'unknown',
      '\t',
    ]
    let seed = 1
    const next = (below: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff
      return (seed >>> 8) % below
    }
    for (let round = 0; round < 3000; round++) {
      const forged = Array.from({ length: next(12) }, () => pieces[next(pieces.length)]).join('')
      assert.equal(find({ 'X-Forwarded-For': `${forged}, 192.0.2.7` }), '192.0.2.7', forged)
      assert.equal(find({ Forwarded: `${forged}, for="[2001:db8::7]:1";proto=https` }), '2001:db8::7', forged)
      const alone = find({ 'X-Forwarded-For': forged, Forwarded: forged })
      assert.ok(isAddress(alone), forged)
    }
  })
})
