/** Which test files run where, and which of them the arguments of `npm test` choose. */

import { globSync } from 'node:fs'
import { posix } from 'node:path'

export const RUNTIMES = ['workerd', 'deno', 'bun', 'node'] as const
export type Runtime = (typeof RUNTIMES)[number]

/** `x.worker.test.ts` runs on workerd, `x.process.test.ts` on the others, `x.deno.test.ts` on Deno, `x.node.test.ts` on Node, `x.test.ts` on all. */
const PLACES: Readonly<Record<string, readonly Runtime[]>> = {
  worker: ['workerd'],
  process: ['deno', 'bun', 'node'],
  deno: ['deno'],
  node: ['node'],
}

export function filesFor(runtime: Runtime): string[] {
  return globSync('test/**/*.test.ts')
    .filter((file) => {
      const place = /\.(\w+)\.test\.ts$/.exec(file)?.[1]
      return place === undefined || PLACES[place]?.includes(runtime)
    })
    .sort()
}

export interface Suite {
  readonly runtime: Runtime
  readonly files: readonly string[]
}

/**
 * Returns what to run for these words: names of runtimes, test files and folders of them. Without a runtime, all that have
 * such a file; without a path, all files.
 *
 * @throws RangeError that names the word that chooses nothing
 */
export function chooseSuites(words: readonly string[]): readonly Suite[] {
  const isRuntime = (word: string): word is Runtime => RUNTIMES.some((runtime) => runtime === word)
  const named = words.filter(isRuntime)
  const paths = words.filter((word) => !isRuntime(word)).map((word) => posix.join(word).replace(/\/$/, ''))
  const isIn = (file: string, path: string): boolean => file === path || file.startsWith(`${path}/`)
  const suites = (named.length > 0 ? RUNTIMES.filter((runtime) => named.includes(runtime)) : RUNTIMES)
    .map((runtime) => ({ runtime, all: filesFor(runtime) }))
    .map(({ runtime, all }) => ({
      runtime,
      files: paths.length > 0 ? all.filter((file) => paths.some((path) => isIn(file, path))) : all,
    }))
  for (const path of paths) {
    if (!suites.some(({ files }) => files.some((file) => isIn(file, path))))
      throw new RangeError(`${path} is neither a runtime (${RUNTIMES.join(', ')}) nor a path of tests that run here`)
  }
  for (const { runtime, files } of suites) {
    if (named.includes(runtime) && files.length === 0) throw new RangeError(`${runtime} runs no such file`)
  }
  return suites.filter(({ files }) => files.length > 0)
}
