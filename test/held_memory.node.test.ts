import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import process from 'node:process'
import { describe, test } from '#test'

/** 1,500 bodies would take 90 MB. */
const MAX_BYTES = 20e6

describe('a part of a body that is kept does not keep the body', () => {
  for (const [kept, status] of [
    ['ids', 401],
    ['scopes', 200],
  ] as const) {
    test(kept, () => {
      const printed = execFileSync(process.execPath, ['--expose-gc', 'test/support/held_memory.ts', kept], {
        encoding: 'utf8',
      })
      const { statuses, bytes } = JSON.parse(printed)
      assert.deepEqual(statuses, [status])
      assert.ok(bytes < MAX_BYTES, `${bytes} bytes`)
    })
  }
})
