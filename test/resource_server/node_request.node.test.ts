import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { guardedRequestOf } from '../../src/resource_server/node_request.ts'

describe('the URL of a request of Node', () => {
  const socket = { encrypted: true }
  for (const [name, rawHeaders, url, expected] of [
    ['of HTTP/1.1', ['Host', 'api.example'], '/a?b', 'https://api.example/a?b'],
    ['of HTTP/2', [':path', '/a', ':authority', 'api.example'], '/a', 'https://api.example/a'],
    ['in absolute form', ['Host', 'b.example'], 'http://api.example/a', 'http://api.example/a'],
  ] as const) {
    test(name, () => {
      assert.equal(guardedRequestOf({ method: 'GET', url, rawHeaders, socket }).url, expected)
    })
  }

  test('of two hosts is none', () => {
    const { url } = guardedRequestOf({ url: '/a', rawHeaders: ['Host', 'a.example', 'Host', 'b.example'], socket })
    assert.ok(!URL.canParse(url))
  })
})
