import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { auditLine, auditLines } from '../../src/events/audit.ts'
import type { ServerEvent } from '../../src/events/events.ts'
import { encodeBase64url } from '../../src/lib/base64url.ts'
import { generateSecret } from '../../src/secrets/generated.ts'
import { createManaged } from '../support/managed.ts'
import { ISSUER, NOW } from '../support/world.ts'

const refused = {
  event: 'request_refused',
  path: '/token',
  code: 'invalid_client',
  reason: 'client_id_malformed',
} as const satisfies ServerEvent

describe('auditLines', () => {
  test('writes each event as one line, with its time first', () => {
    const lines: string[] = []
    const emit = auditLines(
      (line) => lines.push(line),
      () => NOW,
    )
    emit({ ...refused, client_id: 'a' })
    emit(refused)
    assert.deepEqual(lines, [
      '{"time":"2027-01-15T08:00:00.000Z","event":"request_refused","path":"/token","code":"invalid_client","reason":"client_id_malformed","client_id":"a"}',
      '{"time":"2027-01-15T08:00:00.000Z","event":"request_refused","path":"/token","code":"invalid_client","reason":"client_id_malformed"}',
    ])
  })
})

describe('the time of a line', () => {
  for (const [now, time] of [
    [NOW, '2027-01-15T08:00:00.000Z'],
    [NOW + 0.123, '2027-01-15T08:00:00.123Z'],
    [1_790_000_000.999, '2026-09-21T14:13:20.999Z'],
  ] as const)
    test(`is ${time} for ${now}`, () => assert.equal(JSON.parse(auditLine(refused, now)).time, time))
})

describe('auditLine', () => {
  /** Characters that end a line for some readers, move the cursor of a terminal, or are invisible. */
  const unseen = [
    ...['\n', '\r', '\v', '\f', '\u001b', '\u001c', '\u007f', '\u0085', '\u009b', '\u00ad'],
    ...['\u200b', '\u2028', '\u2029', '\u202e', '\u2066', '\ufeff', '\ue000', '\ud800', '\u{e0001}', '\u{1d173}'],
  ]
  for (const character of unseen) {
    test(`escapes U+${character.codePointAt(0)?.toString(16)} in every field, and keeps the value`, () => {
      const text = `x${character}{"event":"forged"}`
      const line = auditLine({ ...refused, path: text, client_id: text, cause: text }, NOW)
      assert.match(line, /^[\x20-\x7e]+$/)
      const { path, client_id, cause } = JSON.parse(line)
      assert.deepEqual([path, client_id, cause], [text, text, text])
    })
  }

  test('does not escape visible characters', () => {
    assert.ok(auditLine({ ...refused, client_id: 'ünï 日本 😀' }, NOW).endsWith('"client_id":"ünï 日本 😀"}'))
  })

  test('truncates long texts in every field, with a mark', () => {
    const long = 'y'.repeat(1025)
    const cut = `${'y'.repeat(1024)}…`
    const { path, client_id } = JSON.parse(auditLine({ ...refused, path: long, client_id: long }, NOW))
    assert.deepEqual([path, client_id], [cut, cut])
    const grant = { grant_type: 'client_credentials', jti: '1', exp: NOW }
    const issued = auditLine({ event: 'token_issued', client_id: 'a', ...grant, scope: long, aud: [long, 'b'] }, NOW)
    assert.equal(JSON.parse(issued).scope, cut)
    assert.deepEqual(JSON.parse(issued).aud, [cut, 'b'])
  })

  const token = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJlLW9mLXRoaXM'
  for (const [text, written] of [
    [token, 'eyJhbGciOi…'],
    [`/issuers/${token}`, '/issuers/eyJhbGciOi…'],
    [`/register/${token}/secrets/${token}`, '/register/eyJhbGciOi…/secrets/eyJhbGciOi…'],
    [token.replaceAll('.', '%2E'), 'eyJhbGciOi…'],
    [`x${token}`, 'xeyJhbGciOi…'],
    [`a.b.${token}`, 'a.b.eyJhbGciOi…'],
    [`${token.slice(0, 40)}..a.b.c`, 'eyJhbGciOi…'],
    [`${token}${'y'.repeat(2000)}`, 'eyJhbGciOi…'],
    ['eyJhbGciOiJSUzI1NiJ9', 'eyJhbGciOiJSUzI1NiJ9'],
    ['eyJob.example', 'eyJob.example'],
    ['jobs.eyJob.example', 'jobs.eyJob.example'],
    ['https://a.b.example/c.d.e', 'https://a.b.example/c.d.e'],
  ] as const) {
    test(`writes ${text.slice(0, 70)} as ${written}`, () => {
      const { path, client_id, cause } = JSON.parse(
        auditLine({ ...refused, path: text, client_id: text, cause: text }, NOW),
      )
      assert.deepEqual([path, client_id, cause], [written, written, written])
    })
  }

  test('does not truncate texts of 1,024 characters', () => {
    const path = 'y'.repeat(1024)
    assert.equal(JSON.parse(auditLine({ ...refused, path }, NOW)).path, path)
  })
})

describe('a token in the wrong place', () => {
  const mistyped = generateSecret().slice(0, -1)
  const part = (value: object) => encodeBase64url(new TextEncoder().encode(JSON.stringify(value)))
  const tokenOf = (size: number) => `${part({ alg: 'ES256' })}.${part({ sub: 'x'.repeat(size) })}.${'s'.repeat(86)}`
  const form = (members: Record<string, string>, headers = {}): [string, RequestInit] => [
    '/token',
    { method: 'POST', headers, body: new URLSearchParams({ grant_type: 'client_credentials', ...members }) },
  ]
  const cases: Readonly<Record<string, (token: string) => [path: string, init: RequestInit]>> = {
    'as client_id': (token) => form({ client_id: token }),
    'as client_id with a secret': (token) => form({ client_id: token, client_secret: 'x' }),
    'as client_id with a mistyped secret': (token) => form({ client_id: token, client_secret: mistyped }),
    'as the name in Basic': (token) => form({}, { Authorization: `Basic ${btoa(`${token}:`)}` }),
    'as an issuer': (token) => [`/issuers/${token}`, {}],
    'as a client in the path': (token) => [`/register/${token}`, {}],
    'as a client whose secrets are changed': (token) => [
      `/register/${token}/secrets`,
      { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' },
    ],
    'as a secret in the path': (token) => [`/register/a/secrets/${token}`, { method: 'DELETE' }],
  }
  for (const [name, request] of Object.entries(cases)) {
    for (const size of [3, 600]) {
      test(`${name} is not in the line, ${size < 100 ? 'short' : 'long'}`, async () => {
        const { app, events } = await createManaged()
        const token = tokenOf(size)
        const [path, init] = request(token)
        const response = await app.request(ISSUER + path, init)
        assert.ok(response.status >= 400)
        const event = events.at(-1)
        assert.ok(event?.event === 'request_refused')
        const line = auditLine(event, NOW)
        const [, claims = '', signature = ''] = token.split('.')
        assert.ok(!line.includes(claims) && !line.includes(signature), line)
        assert.ok(size < 100 || event.client_id !== token)
      })
    }
  }
})
