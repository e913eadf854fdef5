/** The command line as a child process. */

import { spawn } from 'node:child_process'
import process from 'node:process'
import { text } from 'node:stream/consumers'

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs `edgemint` without a terminal. */
export async function edgemint(
  words: readonly string[],
  environment: Record<string, string> = {},
  stdin = '',
): Promise<Ended> {
  const { EDGEMINT_TOKEN: _token, EDGEMINT_URL: _url, ...inherited } = process.env
  const child = spawn('node', ['src/cli/edgemint.ts', ...words], { env: { ...inherited, ...environment } })
  child.stdin.end(stdin)
  const closed = new Promise<number | null>((resolve) => child.on('close', resolve))
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), closed])
  return { code, stdout, stderr }
}
