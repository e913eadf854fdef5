import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { isHost, refuseHost } from '../../src/runtime/host_header.ts'

describe('the Host header', () => {
  for (const host of [
    ...['localhost', 'localhost:8080', 'EXAMPLE.com', 'tokens.example:', '127.0.0.1:9', '[::1]:80', '[::ffff:7f00:1]'],
    ...['my_svc', 'xn--bcher-kva.example', 'ex%61mple.com'],
  ]) {
    test(`${host} is valid`, () => assert.ok(isHost(host)))
  }

  for (const host of [
    ...['', ':80', '127.0.0.1/token?', '127.0.0.1#', '127.0.0.1\\token', 'a@127.0.0.1', 'a b', 'a.example, b.example'],
    ...['127.0.0.1:x', '127.0.0.1:80:80', '::1', '[::1', '[a.example]', 'bücher.example', 'a%zz', 'a%2', ' a', 'a\n'],
  ]) {
    test(`${JSON.stringify(host)} is not valid`, () => assert.ok(!isHost(host)))
  }

  test('a malformed Host is refused with status 400', async () => {
    const response = refuseHost()
    assert.deepEqual([response.status, response.headers.get('Cache-Control')], [400, 'no-store'])
    assert.equal(((await response.json()) as { error: string }).error, 'invalid_request')
  })
})
