import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { signedHeaders } from '../../src/kms/sigv4.ts'

/** The POST requests to the root of Amazon's test suite for Signature Version 4, `aws-sig-v4-test-suite`. */
const SUITE: readonly [
  name: string,
  headers: Record<string, string>,
  body: string,
  names: string,
  signature: string,
][] = [
  ['post-vanilla', {}, '', 'host;x-amz-date', '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b'],
  [
    'post-header-key-sort',
    { 'My-Header1': 'value1' },
    '',
    'host;my-header1;x-amz-date',
    'c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c',
  ],
  [
    'post-header-value-case',
    { 'My-Header1': 'VALUE1' },
    '',
    'host;my-header1;x-amz-date',
    'cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d',
  ],
  [
    'post-x-www-form-urlencoded',
    { 'Content-Type': 'application/x-www-form-urlencoded' },
    'Param1=value1',
    'content-type;host;x-amz-date',
    'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
  ],
  [
    'post-x-www-form-urlencoded-parameters',
    { 'Content-Type': 'application/x-www-form-urlencoded; charset=utf8' },
    'Param1=value1',
    'content-type;host;x-amz-date',
    '1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe',
  ],
]

const SESSION_TOKEN =
  'AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=='

const signed = (headers: Record<string, string>, body: string, sessionToken?: string) =>
  signedHeaders({
    url: 'https://example.amazonaws.com/',
    headers,
    body,
    region: 'us-east-1',
    service: 'service',
    credentials: {
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
      AWS_SESSION_TOKEN: sessionToken,
    },
    datetime: '20150830T123600Z',
  })

const expected = (names: string, signature: string): string =>
  `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=${names}, Signature=${signature}`

describe('signedHeaders', () => {
  for (const [name, headers, body, names, signature] of SUITE) {
    test(`${name} of Amazon's suite`, async () => {
      assert.equal((await signed(headers, body)).get('Authorization'), expected(names, signature))
    })
  }

  test("post-sts-header-before of Amazon's suite: a session token is signed", async () => {
    const headers = await signed({}, '', SESSION_TOKEN)
    assert.equal(headers.get('X-Amz-Security-Token'), SESSION_TOKEN)
    assert.equal(
      headers.get('Authorization'),
      expected(
        'host;x-amz-date;x-amz-security-token',
        '85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead',
      ),
    )
  })
})
