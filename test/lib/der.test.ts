import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { childrenOf, oidOf, readDer, TAG } from '../../src/lib/der.ts'

const octets = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (octet) => Number.parseInt(octet, 16))

describe('readDer', () => {
  test('names the universal tags of X.690', () => {
    assert.deepEqual(TAG, { boolean: 1, integer: 2, octetString: 4, oid: 6, sequence: 48, set: 49 })
  })

  test('returns the tag, the content and the children', () => {
    const sequence = readDer(octets('3006020101040161'))
    assert.equal(sequence.tag, 0x30)
    assert.deepEqual(
      childrenOf(sequence).map(({ tag, content }) => [tag, ...content]),
      [
        [2, 1],
        [4, 0x61],
      ],
    )
  })

  for (const [length, size] of [
    ['00', 0],
    ['7f', 127],
    ['8180', 128],
    ['81ff', 255],
    ['820100', 256],
    ['82ffff', 65_535],
    ['83010000', 65_536],
  ] as const) {
    test(`reads a length of ${size}`, () => {
      const { tag, content } = readDer(new Uint8Array([4, ...octets(length), ...new Uint8Array(size).fill(7)]))
      assert.equal(tag, 4)
      assert.equal(content.length, size)
      assert.ok(content.every((octet) => octet === 7))
    })
  }

  test('refuses a length of four octets, even with all of the content', () => {
    const long = new Uint8Array(6 + 2 ** 24)
    long.set(octets('048401000000'))
    assert.throws(() => readDer(long), TypeError)
  })

  for (const [name, hex] of [
    ['nothing', ''],
    ['a tag alone', '30'],
    ['content shorter than its length', '300501'],
    ['a trailing octet', '0400ff'],
    ['two elements', '04000400'],
    ['an indefinite length', '30800000'],
    ['an indefinite length, followed by 128 octets', `0480${'00'.repeat(128)}`],
    ['a length that is not in its shortest form', '04810100'],
    ['a long form of 127', `04817f${'00'.repeat(127)}`],
    ['a long form of 0', '048100'],
    ['a length that is cut off', '0482'],
    ['a content that is one octet short', `048180${'00'.repeat(127)}`],
    ['a missing length after an element', '30020400ff'],
    ['a length with a leading zero', `0482008000${'00'.repeat(127)}`],
    ['a length of four octets', '048400000001aa'],
    ['a tag of several octets', '1f810100'],
    ['a tag of several octets, short', '1f00'],
    ['a constructed tag of several octets', '3f00'],
    ['a context-specific tag of several octets', 'bf00'],
  ] as const) {
    test(`refuses ${name}`, () => assert.throws(() => readDer(octets(hex)), TypeError))
  }

  test('reads every tag of one octet', () => {
    for (let tag = 0; tag < 256; tag++) {
      if ((tag & 0x1f) !== 0x1f) assert.equal(readDer(new Uint8Array([tag, 0])).tag, tag)
    }
  })

  test('reads the children of another expected tag', () => {
    assert.equal(childrenOf(readDer(octets('31020400')), TAG.set).length, 1)
    assert.deepEqual(childrenOf(readDer(octets('3000'))), [])
    assert.throws(() => childrenOf(readDer(octets('30020400')), TAG.set), TypeError)
  })

  test('refuses the children of an unexpected tag', () => {
    assert.throws(() => childrenOf(readDer(octets('0400'))), TypeError)
    assert.throws(() => childrenOf(readDer(octets('3002ff05'))), TypeError)
  })
})

describe('oidOf', () => {
  for (const [oid, hex] of [
    ['2.5.4.3', '0603550403'],
    ['1.2.840.113549.1.9.1', '06092a864886f70d010901'],
    ['0.9.2342.19200300.100.1.25', '060a0992268993f22c640119'],
    ['2.999', '06028837'],
    ['0.0', '060100'],
    ['0.39', '060127'],
    ['1.0', '060128'],
    ['1.39', '06014f'],
    ['2.0', '060150'],
    ['2.40', '060178'],
    ['2.127', '0602814f'],
    ['2.5.127.128.16383.16384', '0609557f8100ff7f818000'],
    [`2.5.${2 ** 46 - 1}`, '0608558fffffffffff7f'],
  ] as const) {
    test(oid, () => assert.equal(oidOf(readDer(octets(hex))), oid))
  }

  test('refuses other tags, empty content and arcs that are too large', () => {
    assert.throws(() => oidOf(readDer(octets('0600'))), TypeError)
    assert.throws(() => oidOf(readDer(octets('0401aa'))), TypeError)
    assert.throws(() => oidOf(readDer(octets(`060a${'ff'.repeat(9)}7f`))), TypeError)
    assert.throws(() => oidOf(readDer(octets('06085590808080808000'))), TypeError)
  })
  for (const [name, hex] of [
    ['an arc with a leading zero', '060455048003'],
    ['a first arc with a leading zero', '06028055'],
    ['a last arc that is cut off', '06025584'],
    ['a last arc that is cut off after a zero', '0603558480'],
    ['an arc that is cut off and nothing else', '060181'],
  ] as const) {
    test(`refuses ${name}`, () => assert.throws(() => oidOf(readDer(octets(hex))), TypeError))
  }
})
