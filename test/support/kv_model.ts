/** Workers KV as its documentation describes it, as a server for the KV bindings of workerd. */

import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'

/** How long a location serves what it has read, values and misses alike. */
export const KV_CACHE_SECONDS = 60

/** The request header by which the configuration of workerd names the location of a binding. */
export const LOCATION_HEADER = 'X-Location'

export interface KvModel {
  readonly port: number
  /** What was written, wherever. */
  readonly values: Map<string, string>
  /** All writes that arrived, also those that were refused. */
  readonly writes: string[]
  /** Seconds; only a test moves it. */
  now: number
  /** What happens to the next writes, and to those after them. */
  readonly next: Outcome[]
  usual: Outcome
  /** Lets the held writes through. */
  release(): void
  close(): void
}

/** `refuse` answers 429 as for a second write within a second; `hold` keeps a write until it is released. */
export type Outcome = 'write' | 'refuse' | 'hold'

interface Read {
  readonly value: string | undefined
  readonly readAt: number
}

export async function startKv(): Promise<KvModel> {
  const server = createServer()
  const held: (() => void)[] = []
  const locations = new Map<string, Map<string, Read>>()
  const cacheOf = (request: IncomingMessage): Map<string, Read> => {
    const location = String(request.headers[LOCATION_HEADER.toLowerCase()])
    const cache = locations.get(location) ?? new Map<string, Read>()
    locations.set(location, cache)
    return cache
  }
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('no port')
  const kv: KvModel = {
    port: address.port,
    values: new Map(),
    writes: [],
    now: 0,
    next: [],
    usual: 'write',
    release() {
      for (const write of held.splice(0)) write()
    },
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
  server.on('request', async (request, response) => {
    const body = await text(request)
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://kv')
    const key = decodeURIComponent(pathname.slice(1))
    const cache = cacheOf(request)
    if (request.method === 'GET' && key === '') {
      // One page; no test writes more keys than fit into it.
      const names = [...kv.values.keys()].filter((name) => name.startsWith(searchParams.get('prefix') ?? '')).sort()
      response.end(JSON.stringify({ keys: names.map((name) => ({ name })), list_complete: true }))
      return
    }
    if (request.method === 'GET') {
      const read = cache.get(key)
      const isFresh = read !== undefined && kv.now < read.readAt + KV_CACHE_SECONDS
      const value = isFresh ? read.value : kv.values.get(key)
      if (!isFresh) cache.set(key, { value, readAt: kv.now })
      response.writeHead(value === undefined ? 404 : 200).end(value)
      return
    }
    kv.writes.push(`${request.method} ${key}`)
    const write = (): void => {
      const value = request.method === 'PUT' ? body : undefined
      if (value === undefined) kv.values.delete(key)
      else kv.values.set(key, value)
      // Where it was written a change is seen at once.
      cache.set(key, { value, readAt: kv.now })
      response.writeHead(200).end()
    }
    const outcome = kv.next.shift() ?? kv.usual
    if (outcome === 'write') write()
    else if (outcome === 'hold') held.push(write)
    else response.writeHead(429).end()
  })
  return kv
}
