/** Puts load on one URL from many connections, with wrk if it is installed, otherwise with autocannon, which uses more CPU. */

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import autocannon from 'autocannon'
import { runToEnd } from './child.ts'

const CONNECTIONS = 16
/** On a busy machine 16 bcrypt comparisons take longer than the default of wrk, 2 seconds. */
const TIMEOUT_SECONDS = 10

/** The result of one load. Latencies are in milliseconds. */
export interface Load {
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
}

/**
 * A form in which `client-0` is replaced by the ids of `clients` clients, all equally often or, if skewed, the first ones more
 * often, and `new.0`, in a share of the requests, by a scope that no request had before.
 */
export interface Target {
  readonly url: string
  readonly form: string
  readonly clients?: number
  readonly isSkewed?: boolean
  readonly newShare?: number
}

const FIRST_CLIENT = 'client-0'
export const FIRST_SCOPE = 'new.0'
const MAX_SCOPE = 1e9
const CONTENT_TYPE = 'application/x-www-form-urlencoded'

export const generator: 'wrk' | 'autocannon' = spawnSync('wrk', ['-v']).error === undefined ? 'wrk' : 'autocannon'

const folder = mkdtempSync(join(tmpdir(), 'edgemint-load-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

/** Puts load on a URL. @throws Error if a response is not 2xx, or there is none */
export async function load(target: Target, seconds: number): Promise<Load> {
  const { refused, ...result } = await (generator === 'wrk' ? byWrk : byAutocannon)(target, seconds)
  if (refused > 0) throw new Error(`${target.url}: ${refused} requests refused or failed`)
  if (result.perSecond === 0) throw new Error(`${target.url}: no answer in ${seconds} s; the machine is too busy`)
  return result
}

type Counted = Load & { readonly refused: number }

async function byAutocannon(target: Target, duration: number): Promise<Counted> {
  const { url, form, clients = 1, isSkewed, newShare = 0 } = target
  const bodyOf = (): string => {
    const place = Math.random()
    const index = Math.floor(isSkewed ? clients ** place - 1 : clients * place)
    const scope = Math.random() < newShare ? `new.${Math.floor(Math.random() * MAX_SCOPE)}` : FIRST_SCOPE
    return form.replace(FIRST_CLIENT, `client-${index}`).replace(FIRST_SCOPE, scope)
  }
  const { latency, ...result } = await autocannon({
    url,
    duration,
    connections: CONNECTIONS,
    requests: [
      {
        method: 'POST',
        headers: { 'Content-Type': CONTENT_TYPE },
        body: form,
        ...((clients > 1 || newShare > 0) && { setupRequest: (request) => ({ ...request, body: bodyOf() }) }),
      },
    ],
  })
  const perSecond = result['2xx'] / result.duration
  return { perSecond, p50: latency.p50, p99: latency.p99, refused: result.non2xx + result.errors }
}

async function byWrk(target: Target, seconds: number): Promise<Counted> {
  const { url, form, clients = 1, isSkewed = false, newShare = 0 } = target
  const script = join(folder, 'load.lua')
  // In a pattern of Lua, a percent sign makes the next character literal.
  const patternOf = (text: string): string => text.replaceAll(/[^a-z0-9]/g, '%$&')
  writeFileSync(
    script,
    `wrk.method = "POST"
wrk.body = ${JSON.stringify(form)}
wrk.headers["Content-Type"] = "${CONTENT_TYPE}"
local clients = ${clients}
local form = ${JSON.stringify(form)}
if clients > 1 or ${newShare} > 0 then
  request = function()
    local place = math.random()
    local index = math.floor(${isSkewed ? 'clients ^ place - 1' : 'clients * place'})
    local body = string.gsub(form, "${patternOf(FIRST_CLIENT)}", "client-" .. string.format("%d", index), 1)
    if math.random() < ${newShare} then
      body = string.gsub(body, "${patternOf(FIRST_SCOPE)}", "new." .. string.format("%d", math.random(${MAX_SCOPE})), 1)
    end
    return wrk.format(nil, nil, nil, body)
  end
end
done = function(summary, latency)
  local errors = summary.errors
  local refused = errors.status + errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format('{"perSecond":%f,"p50":%f,"p99":%f,"refused":%d}', summary.requests * 1e6 / summary.duration,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, refused))
end
`,
  )
  const options = [
    '--threads',
    '1',
    '--connections',
    `${CONNECTIONS}`,
    '--duration',
    `${seconds}s`,
    '--timeout',
    `${TIMEOUT_SECONDS}s`,
  ]
  const printed = await runToEnd('wrk', [...options, '--script', script, url])
  const [line] = /\{"perSecond".*\}/.exec(printed) ?? []
  if (line === undefined) throw new Error(`wrk: ${printed}`)
  return JSON.parse(line)
}

/** Reserves one core for the servers and moves this process and its load to the others, so that a rate is that of one core. */
export function takeTheOtherCores(cores: number): boolean {
  if (cores < 2 || spawnSync('taskset', ['--version']).error !== undefined) return false
  execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', `1-${cores - 1}`, `${process.pid}`])
  return true
}
