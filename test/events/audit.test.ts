import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { auditLine, auditLines } from '../../src/events/audit.ts'
import type { ServerEvent } from '../../src/events/events.ts'
import { NOW } from '../support/world.ts'

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

  test('does not truncate texts of 1,024 characters', () => {
    const path = 'y'.repeat(1024)
    assert.equal(JSON.parse(auditLine({ ...refused, path }, NOW)).path, path)
  })
})
