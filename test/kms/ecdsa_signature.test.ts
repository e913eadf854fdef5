import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { jwsSignatureOf } from '../../src/kms/ecdsa_signature.ts'
import { toDer } from '../support/aws_server.ts'

const octets = (...parts: readonly (readonly number[])[]) => Uint8Array.from(parts.flat())
const ones = (length: number, first = 1) => [first, ...Array.from({ length: length - 1 }, () => 1)]

describe('jwsSignatureOf', () => {
  for (const [name, r] of [
    ['a high first bit', ones(32, 0x80)],
    ['a leading zero', [0, ...ones(31)]],
    ['31 leading zeros', [...Array.from({ length: 31 }, () => 0), 9]],
  ] as const) {
    test(`pads and strips r and s with ${name}`, () => {
      const signature = octets(r, ones(32))
      assert.deepEqual(jwsSignatureOf(toDer(signature), 32), signature)
    })
  }

  const bad: readonly [name: string, der: Uint8Array][] = [
    ['nothing', octets()],
    ['one number', octets([0x30, 3, 2, 1, 1])],
    ['three numbers', octets([0x30, 9, 2, 1, 1, 2, 1, 1, 2, 1, 1])],
    ['another tag', octets([0x30, 6, 4, 1, 1, 2, 1, 1])],
    ['a number that is too long', octets([0x30, 38, 2, 33], ones(33), [2, 1, 1])],
    ['what follows it', octets([0x30, 6, 2, 1, 1, 2, 1, 1, 0])],
    ['a length beyond the end', octets([0x30, 7, 2, 1, 1, 2, 1, 1])],
  ]
  for (const [name, der] of bad) {
    test(`refuses ${name}`, () => assert.throws(() => jwsSignatureOf(der, 32), TypeError))
  }
})
