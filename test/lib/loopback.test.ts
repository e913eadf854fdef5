import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { isLoopback } from '../../src/lib/loopback.ts'

describe('isLoopback', () => {
  for (const url of [
    'http://localhost:8080',
    'http://LOCALHOST',
    'http://127.0.0.1',
    'http://127.9.9.9',
    'http://127.100.200.255',
    'http://[::1]:1',
    'http://2130706433',
  ]) {
    test(`accepts ${url}`, () => assert.ok(isLoopback(new URL(url).hostname)))
  }
  for (const url of [
    'http://localhost.example',
    'http://127.0.0.1.example',
    'http://example',
    'http://0.0.0.0',
    'http://[::]',
    'http://10.0.0.1',
    'http://localhost.',
  ]) {
    test(`refuses ${url}`, () => assert.ok(!isLoopback(new URL(url).hostname)))
  }
  for (const host of [
    '',
    '::1',
    'x127.0.0.1',
    '127.0.0.1.5',
    '127.0.0',
    '127.0.0.1234',
    '127.0.0.',
    '[::1]x',
    'localhost\n',
  ]) {
    test(`refuses the host ${JSON.stringify(host)}`, () => assert.ok(!isLoopback(host)))
  }
})
