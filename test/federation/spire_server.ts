/** A server and an agent of SPIRE as processes. */

import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { after } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
import { endWithThis, freePort, killGroup } from '../support/process.ts'
import { spire } from './programs.ts'

const run = promisify(execFile)
const POLL_MILLISECONDS = 200
const [serverProgram, agentProgram] = [spire('spire-server'), spire('spire-agent')]

/** The server of a trust domain. Its processes end after the tests of the file. */
export interface Spire {
  /** Runs a command of the server and returns what it prints. */
  command(name: string, ...options: readonly string[]): Promise<string>
  /** Returns a new JWT-SVID, which no agent hands out. */
  mint(spiffeId: string, audiences: readonly string[], ttl?: string): Promise<string>
  /** Returns the bundle as an operator would upload it. */
  bundle(): Promise<object>
  /** Starts an agent that hands out the SVIDs of these SPIFFE IDs to this process. */
  startAgent(spiffeIds: readonly string[]): Promise<Agent>
}

export interface Agent {
  /** Returns the JWT-SVID that a workload gets from the Workload API. */
  fetch(spiffeId: string, audience: string): Promise<string>
}

const plugins = (more: string): string => `plugins {
  NodeAttestor "join_token" { plugin_data {} }
  KeyManager "memory" { plugin_data {} }
  ${more}
}`

/** Starts the server of a trust domain. @param jwtKeyType `ec-p256` or `rsa-2048` */
export async function startSpire(trustDomain: string, jwtKeyType: string): Promise<Spire> {
  const folder = mkdtempSync(join(tmpdir(), 'spire-'))
  const [port, socket] = [await freePort(), join(folder, 'server.sock')]
  const command: Spire['command'] = (name, ...options) =>
    output(serverProgram, [...name.split(' '), '-socketPath', socket, ...options])
  const config = join(folder, 'server.conf')
  writeFileSync(
    config,
    `server {
  bind_address = "127.0.0.1"
  bind_port = "${port}"
  socket_path = "${socket}"
  trust_domain = "${trustDomain}"
  data_dir = "${folder}"
  log_level = "WARN"
  jwt_key_type = "${jwtKeyType}"
  jwt_issuer = "https://oidc.${trustDomain}"
}
${plugins(`DataStore "sql" { plugin_data { database_type = "sqlite3" connection_string = "${folder}/server.sqlite3" } }`)}
`,
  )
  start(serverProgram, ['run', '-config', config])
  await eventually(() => command('healthcheck'))
  const bundle = async (): Promise<object> => JSON.parse(await command('bundle show', '-format', 'spiffe'))
  const mint: Spire['mint'] = async (spiffeId, audiences, ttl = '5m') => {
    const asked = audiences.flatMap((audience) => ['-audience', audience])
    return (await command('jwt mint', '-spiffeID', spiffeId, ...asked, '-ttl', ttl)).trim()
  }
  const startAgent: Spire['startAgent'] = async (spiffeIds) => {
    const node = `spiffe://${trustDomain}/node`
    for (const id of spiffeIds)
      await command('entry create', '-parentID', node, '-spiffeID', id, '-selector', `unix:uid:${process.getuid?.()}`)
    const [, token = ''] = /Token: (\S+)/.exec(await command('token generate', '-spiffeID', node)) ?? []
    writeFileSync(join(folder, 'bundle.pem'), await command('bundle show'))
    return runAgent(folder, { port, trustDomain, token })
  }
  return { command, mint, bundle, startAgent }
}

async function runAgent(
  folder: string,
  { port, trustDomain, token }: { readonly port: number; readonly trustDomain: string; readonly token: string },
): Promise<Agent> {
  const [config, socket] = [join(folder, 'agent.conf'), join(folder, 'agent.sock')]
  writeFileSync(
    config,
    `agent {
  server_address = "127.0.0.1"
  server_port = "${port}"
  socket_path = "${socket}"
  trust_domain = "${trustDomain}"
  trust_bundle_path = "${folder}/bundle.pem"
  data_dir = "${folder}/agent"
  log_level = "WARN"
}
${plugins('WorkloadAttestor "unix" { plugin_data {} }')}
`,
  )
  start(agentProgram, ['run', '-config', config, '-joinToken', token])
  return {
    async fetch(spiffeId, audience) {
      const options = ['-socketPath', socket, '-audience', audience, '-spiffeID', spiffeId, '-output', 'json']
      // The agent learns of entries some seconds after they were created.
      const [{ svids }] = JSON.parse(await eventually(() => output(agentProgram, ['api', 'fetch', 'jwt', ...options])))
      return svids[0].svid
    },
  }
}

function start(program: string, options: readonly string[]): void {
  const child = spawn(program, options, { detached: true, stdio: ['ignore', 'ignore', 'inherit'] })
  endWithThis(child)
  after(() => {
    if (child.pid !== undefined) killGroup(child.pid)
  })
}

async function output(program: string, options: readonly string[]): Promise<string> {
  return (await run(program, options)).stdout
}

const ATTEMPTS = 300

/** Returns the first result of `attempt` that is none but a failure. @throws the last failure after a minute */
export async function eventually<T>(attempt: () => Promise<T>, left: number = ATTEMPTS): Promise<T> {
  try {
    return await attempt()
  } catch (error) {
    if (left === 0) throw error
  }
  await setTimeout(POLL_MILLISECONDS)
  return eventually(attempt, left - 1)
}
