/** Processes of `store_process.ts`, on the runtime of one's choice. */

import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

export interface Member {
  /** Sends one line and waits for the answer to it. */
  ask(...line: string[]): Promise<unknown>
  /** Sends one line and gives each line that comes back, until the process ends. */
  stream(...line: string[]): AsyncIterable<string>
  kill(): void
}

const COMMANDS = {
  node: ['node'],
  bun: ['bun', 'run'],
  deno: ['deno', 'run', '--allow-all', '--unstable-kv', '--no-check'],
} as const

export function startMember(runtime: keyof typeof COMMANDS, storeUrl: string): Member {
  const [command, ...options] = COMMANDS[runtime]
  const child = spawn(command, [...options, 'test/support/store_process.ts', storeUrl], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })
  const answers = lines[Symbol.asyncIterator]()
  const send = (line: string[]): void => void child.stdin.write(`${JSON.stringify(line)}\n`)
  return {
    async ask(...line) {
      send(line)
      const { value, done } = await answers.next()
      if (done) throw new Error(`${runtime} ended`)
      return JSON.parse(value)
    },
    stream(...line) {
      send(line)
      return { [Symbol.asyncIterator]: () => answers }
    },
    kill: () => void child.kill('SIGKILL'),
  }
}
