/** `edgemint serve`: runs the server in this process, on the runtime that runs the command. */

import process from 'node:process'
import { Command } from 'commander'
import { createServer } from '../start.ts'
import { EXIT } from './errors.ts'
import { warn } from './output.ts'

/** Not `#runtime`, whose conditions are those of a checkout. */
const RUNTIMES = {
  node: () => import('../runtime/node.ts'),
  bun: () => import('../runtime/bun.ts'),
  deno: () => import('../runtime/deno.ts'),
} as const

interface ServeOptions {
  readonly dev?: boolean
  readonly port?: string
  readonly host?: string
  readonly check?: boolean
}

export function serveCommand(): Command {
  return new Command('serve')
    .description('Runs the server, with the settings of the environment.')
    .option('--dev', 'development mode: a key made at start, and the client test-client with the secret foobar')
    .option('--port <port>', 'port to listen on, instead of PORT (default: 8080)')
    .option('--host <address>', 'address to listen on, instead of HOST (default: all, in development 127.0.0.1)')
    .option('--check', 'check the settings, the keys and the stores, and exit: with 0 if the server would be ready')
    .action(serve)
}

async function serve({ dev, port, host, check }: ServeOptions): Promise<void> {
  if (dev) process.env['DEV'] = 'true'
  if (port !== undefined) process.env['PORT'] = port
  if (host !== undefined) process.env['HOST'] = host
  const { bun, deno } = process.versions
  const runtime = await RUNTIMES[bun !== undefined ? 'bun' : deno !== undefined ? 'deno' : 'node']()
  if (!check) return runtime.serve(createServer)
  const { problemOf } = await import('../runtime/listen.ts')
  const server = await runtime.open(createServer)
  const problem = server.config === undefined ? 'a setting is missing or malformed' : await problemOf(server)
  warn(`edgemint: ${problem ?? 'the settings are valid, a key signs, and the ledger answers'}`)
  // The connections of the stores would keep the process running.
  process.exit(problem === undefined ? 0 : EXIT.refused)
}
