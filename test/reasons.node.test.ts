import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { describe, test } from '#test'
import { ERROR_CODES } from '../src/error_codes.ts'
import { REASONS } from '../src/reasons.ts'
import { REFUSALS } from '../src/resource_server/refusals.ts'

/** Every word that stands in quotes in the files of a folder. */
function quotedIn(folder: string): ReadonlySet<string> {
  const files = globSync(`${folder}/**/*.ts`).filter((file) => file !== 'src/reasons.ts')
  const texts = files.map((file) => readFileSync(file, 'utf8'))
  return new Set(texts.flatMap((text) => [...text.matchAll(/'(\w+)'/g)].map(([, word = '']) => word)))
}

const names: Readonly<Record<string, readonly string[]>> = {
  ...REASONS,
  guard: Object.keys(REFUSALS),
  codes: ERROR_CODES,
}

describe('names of refusals', () => {
  test('there are some in each group, none of them twice', () => {
    assert.ok(Object.values(REASONS).flat().length > 90)
    for (const [group, members] of Object.entries(names)) {
      assert.ok(members.length > 0, group)
      assert.equal(new Set(members).size, members.length, group)
    }
  })

  test('none of a reason begins like those of other packages', () => {
    for (const reason of Object.values(REASONS).flat()) assert.doesNotMatch(reason, /^x_/)
  })

  for (const folder of ['src', 'test']) {
    test(`each stands in ${folder}/`, () => {
      const quoted = quotedIn(folder)
      assert.deepEqual(
        Object.values(names)
          .flat()
          .filter((name) => !quoted.has(name)),
        [],
      )
    })
  }
})
