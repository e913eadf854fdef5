import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { childrenOf, oidOf, readDer } from '../../src/lib/der.ts'

const octets = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (octet) => Number.parseInt(octet, 16))

describe('readDer', () => {
  test('gives tag and content, and what is within', () => {
    const sequence = readDer(octets('3006020101040161'))
    assert.equal(sequence.tag, 0x30)
    assert.deepEqual(
      childrenOf(sequence).map(({ tag, content }) => [tag, ...content]),
      [
        [2, 1],
        [4, 0x61],
      ],
    )
    assert.equal(readDer(octets(`048180${'00'.repeat(128)}`)).content.length, 128)
    assert.equal(readDer(octets(`04820100${'00'.repeat(256)}`)).content.length, 256)
  })

  for (const [name, hex] of [
    ['nothing', ''],
    ['a tag alone', '30'],
    ['less than it says', '300501'],
    ['something behind', '0400ff'],
    ['two elements', '04000400'],
    ['no definite length', '30800000'],
    ['a length longer than need be', '04810100'],
    ['a length with a leading zero', `0482008000${'00'.repeat(127)}`],
    ['a length of four octets', '048400000001aa'],
    ['a tag of several octets', '1f810100'],
  ] as const) {
    test(`refuses ${name}`, () => assert.throws(() => readDer(octets(hex)), TypeError))
  }

  test('refuses the children of something else', () => {
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
  ] as const) {
    test(oid, () => assert.equal(oidOf(readDer(octets(hex))), oid))
  }

  test('refuses what is none', () => {
    assert.throws(() => oidOf(readDer(octets('0600'))), TypeError)
    assert.throws(() => oidOf(readDer(octets('0401aa'))), TypeError)
    assert.throws(() => oidOf(readDer(octets(`060a${'ff'.repeat(9)}7f`))), TypeError)
  })
})
