/** The CPU time that a server needs for one request of a load. */

import type { Running } from '../test/support/process.ts'
import { type Load, load, type Target } from './load.ts'
import { usage } from './servers.ts'

export interface Cost extends Load {
  /** User and system time of the server's process. */
  readonly cpuMilliseconds: number
}

/** Puts load on a server for some seconds. */
export async function measureCost(server: Running, target: Target, seconds: number): Promise<Cost> {
  const before = usage(server).cpu
  const result = await load(target, seconds)
  return { ...result, cpuMilliseconds: ((usage(server).cpu - before) * 1000) / (result.perSecond * seconds) }
}
