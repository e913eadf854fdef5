import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { describe, test } from '#test'
import { startMember } from '../support/fleet.ts'
import { startRedis } from '../support/redis.ts'

const KEYS = 200
const redis = await startRedis()
after(() => redis?.stop())
const folder = mkdtempSync(join(tmpdir(), 'edgemint-'))
const urls = [`sqlite:${join(folder, 'fleet.db')}`, ...(redis === undefined ? [] : [redis.url])]

for (const url of urls) {
  describe(`two Bun processes, one Deno and one Node with a shared ${url.split(':')[0]} store`, () => {
    test('all serve a client that one has put, and exactly one wins a concurrent add', async () => {
      const members = (['bun', 'bun', 'deno', 'node'] as const).map((runtime) => startMember(runtime, url))
      try {
        for (const [index, member] of members.entries()) {
          assert.equal(await member.ask('put', 'client:a', `"from ${index}"`), true)
          const seen = await Promise.all(members.map((each) => each.ask('get', 'client:a')))
          assert.deepEqual(
            seen,
            members.map(() => `"from ${index}"`),
          )
        }
        for (let key = 0; key < KEYS; key++) {
          const won = await Promise.all(members.map((member) => member.ask('add', `jti:${key}`)))
          assert.equal(won.filter((isFirst) => isFirst === true).length, 1)
        }
      } finally {
        for (const member of members) member.kill()
      }
    })
  })
}
