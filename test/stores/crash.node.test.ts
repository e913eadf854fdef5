import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { describe, test } from '#test'
import { startMember } from '../support/fleet.ts'

/** Each round kills one process during its writes; CRASH_ROUNDS sets their number. */
const ROUNDS = Number(process.env['CRASH_ROUNDS'] ?? 10)
const MAX_ACKNOWLEDGED = 40

const folder = mkdtempSync(join(tmpdir(), 'edgemint-'))
const places = [
  ['node', `sqlite:${join(folder, 'node.db')}`],
  ['bun', `sqlite:${join(folder, 'bun.db')}`],
  ['deno', `denokv:${join(folder, 'deno.kv')}`],
] as const

for (const [runtime, url] of places) {
  describe(`kill -9 of ${runtime} during writes to ${url.split(':')[0]}`, () => {
    test(`loses no acknowledged write in ${ROUNDS} rounds`, async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const writer = startMember(runtime, url)
        const acknowledged: string[] = []
        const limit = 1 + Math.floor(Math.random() * MAX_ACKNOWLEDGED)
        for await (const line of writer.stream('put-on', `round-${round}`)) {
          acknowledged.push(JSON.parse(line))
          if (acknowledged.length === limit) writer.kill()
        }
        assert.ok(acknowledged.length >= limit)
        const reader = startMember(runtime, url)
        try {
          for (const key of acknowledged) {
            assert.equal(await reader.ask('get', key), JSON.stringify(key))
            assert.equal(await reader.ask('add', key), false)
          }
        } finally {
          reader.kill()
        }
      }
    })
  })
}
