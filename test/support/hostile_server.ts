/** A server that answers whatever a test wants, for programs that must not trust their server. It ends with the test. */

import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'

export interface Answer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as it is; any other value than a text as JSON. */
  readonly body?: unknown
  /** Sends the head and a part of the body, and nothing more. */
  readonly stalls?: boolean
}

/** @param path what follows the name of the case */
export type Respond = (method: string, path: string) => Answer | 'silence'

export interface HostileServer {
  /** Returns the URL under which this response is served. */
  serve(respond: Respond): string
  /** `Authorization` of each request so far. */
  readonly tokens: readonly (string | undefined)[]
}

export async function startHostileServer(): Promise<HostileServer> {
  const cases: Respond[] = []
  const tokens: (string | undefined)[] = []
  const listener = createServer((request, response) => {
    tokens.push(request.headers.authorization)
    const [, name = '', path = ''] = /^\/(\d+)(.*)$/.exec(request.url ?? '') ?? []
    request.resume()
    const answer = cases[Number(name)]?.(request.method ?? '', path) ?? { status: 404 }
    if (answer !== 'silence') write(response, answer)
  }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  listener.unref()
  const address = listener.address()
  if (address === null || typeof address === 'string') throw new TypeError('no port')
  return {
    serve: (respond) => `http://127.0.0.1:${address.port}/${cases.push(respond) - 1}`,
    tokens,
  }
}

function write(response: ServerResponse, { status = 200, headers = {}, body = '', stalls = false }: Answer): void {
  response.writeHead(status, headers)
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  if (stalls) response.write(text)
  else response.end(text)
}
