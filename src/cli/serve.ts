/** `edgemint serve`: runs the server in this process, on the runtime that runs the command. */

import process from 'node:process'
import { Command } from 'commander'
import { EXIT } from './errors.ts'

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
  readonly json?: boolean
}

export function serveCommand(): Command {
  return new Command('serve')
    .description('Runs the server, with the settings of the environment.')
    .option('--dev', 'development mode: a key made at start, and the client test-client with the secret foobar')
    .option('--port <port>', 'port to listen on, instead of PORT (default: 8080)')
    .option('--host <address>', 'address to listen on, instead of HOST (default: all, in development 127.0.0.1)')
    .option('--check', 'check the settings, the keys and the stores, and exit: with 0 if the server would be ready')
    .option('--json', 'print each line for the operator as JSON, as the lines of the audit log are')
    .action(serve)
}

async function serve({ dev, port, host, check, json }: ServeOptions): Promise<void> {
  const environment = {
    ...process.env,
    ...(dev && { DEV: 'true' }),
    ...(port !== undefined && { PORT: port }),
    ...(host !== undefined && { HOST: host }),
  }
  const { bun, deno } = process.versions
  const { runtime } = await RUNTIMES[bun !== undefined ? 'bun' : deno !== undefined ? 'deno' : 'node']()
  // No other command needs the server.
  const [{ createServer }, { open, reportReadiness, serve }, { jsonOperator, plainOperator }] = await Promise.all([
    import('../start.ts'),
    import('../runtime/serve.ts'),
    import('../runtime/operator.ts'),
  ])
  const operator = json ? jsonOperator : plainOperator
  if (!check) return serve(runtime, createServer, environment, operator)
  const { server } = await open(runtime, createServer, environment, operator)
  // The connections of the stores would keep the process running.
  process.exit((await reportReadiness(server, operator)) ? 0 : EXIT.refused)
}
