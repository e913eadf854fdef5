/** Which test file runs where: its name says so. */

import { globSync } from 'node:fs'

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
