import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, test } from '#test'
import { formDecode, readForm } from '../../src/lib/form.ts'

const octets = (text: string) => new TextEncoder().encode(text).buffer

describe('readForm', () => {
  test('reads everything that a client can encode', () => {
    const text = fc.string({ unit: 'binary', minLength: 1 })
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text)), (pairs) => {
        const encoded = new URLSearchParams(pairs).toString()
        const read = new URLSearchParams(encoded)
        assert.deepEqual(readForm(octets(encoded)), [...read])
      }),
    )
  })

  test('refuses arbitrary octets or agrees with URLSearchParams', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (body) => {
        let read: [string, string][]
        try {
          read = readForm(body.slice().buffer)
        } catch (error) {
          assert.ok(error instanceof TypeError || error instanceof URIError)
          return
        }
        const lenient = [...new URLSearchParams(new TextDecoder('utf-8', { ignoreBOM: true }).decode(body))]
        assert.deepEqual(
          read,
          lenient.filter(([, value]) => value !== ''),
        )
      }),
    )
  })

  for (const [form, pairs] of [
    ['', []],
    ['&&', []],
    [
      'a=1&a=2',
      [
        ['a', '1'],
        ['a', '2'],
      ],
    ],
    ['a=b=c', [['a', 'b=c']]],
    ['a==', [['a', '=']]],
    ['a=+', [['a', ' ']]],
    ['a+b+c=%2B%26%3D+%2B', [['a b c', '+&= +']]],
    ['%61=1', [['a', '1']]],
    ['a=1;b=2', [['a', '1;b=2']]],
    [' a = 1 ', [[' a ', ' 1 ']]],
    ['a=%C3%A9é', [['a', 'éé']]],
    ['a=%2525', [['a', '%25']]],
  ] as const) {
    test(`reads ${JSON.stringify(form)}`, () => assert.deepEqual(readForm(octets(form)), pairs))
  }

  test('omits parameters without a value', () => {
    assert.deepEqual(readForm(octets('a&b=&c=1&=2')), [
      ['c', '1'],
      ['', '2'],
    ])
  })

  test('keeps NUL and the byte order mark as they are', () => {
    assert.deepEqual(readForm(octets('\ufeffa=%00')), [['\ufeffa', '\0']])
  })

  for (const bad of ['%', '%2', '%zz', '%ff', '%c0%af', '%ed%a0%80', 'a=%u0041']) {
    test(`refuses ${bad}`, () => assert.throws(() => readForm(octets(bad)), URIError))
  }

  test('refuses raw octets that are not UTF-8', () => {
    assert.throws(() => readForm(new Uint8Array([0x61, 0x3d, 0xff]).buffer), TypeError)
  })
})

describe('formDecode', () => {
  test('decodes plus to a space and %2B to a plus', () => assert.equal(formDecode('a+b%2Bc'), 'a b+c'))
})
