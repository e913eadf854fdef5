import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { auditLines } from '../../src/events/audit.ts'
import { NOW } from '../support/world.ts'

describe('auditLines', () => {
  test('writes one line of JSON, whatever a client calls itself', () => {
    const lines: string[] = []
    const emit = auditLines(
      (line) => lines.push(line),
      () => NOW,
    )
    const client_id = `x\n{"event":"forged"}\u2028${'y'.repeat(1000)}`
    emit({ event: 'request_refused', path: '/token', code: 'invalid_client', reason: 'client_id_malformed', client_id })
    const [line = ''] = lines
    assert.equal(lines.length, 1)
    assert.ok(!line.includes('\n'))
    const told = JSON.parse(line)
    assert.equal(told.time, '2027-01-15T08:00:00.000Z')
    assert.equal(told.client_id, client_id.slice(0, 256))
  })
})
