/** HTTP/1.1 as octets on a socket of its own, because `fetch` sends nothing that is malformed. */

import { connect } from 'node:net'
import { latin1Of } from '../fuzzed.ts'

export interface Answer {
  /** Undefined when the server closed the connection without a response. */
  readonly status: number | undefined
  /** As octets. */
  readonly body: string
  readonly milliseconds: number
}

/**
 * Sends octets and reads until the server closes the connection.
 *
 * @param isWhole whether they are a complete request that asks to close the connection; otherwise this side ends its own half
 * @param limitMilliseconds how long the server may take
 * @throws Error when it takes longer, or refuses the connection
 */
export function exchange(port: number, octets: string, isWhole: boolean, limitMilliseconds: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = []
    const begin = performance.now()
    const socket = connect(port, '127.0.0.1', () => {
      const data = Buffer.from(octets, 'latin1')
      if (isWhole) socket.write(data)
      else socket.end(data)
    })
    const timer = setTimeout(() => {
      socket.destroy()
      reject(new Error(`no end of the answer within ${limitMilliseconds} ms, after ${chunks.length} chunks`))
    }, limitMilliseconds)
    socket.on('data', (chunk) => chunks.push(chunk))
    // A server may reset a connection whose request it has not read to the end.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer)
      if (error.code === 'ECONNREFUSED') reject(error)
    })
    socket.on('close', () => {
      clearTimeout(timer)
      resolve({ ...parse(latin1Of(Buffer.concat(chunks))), milliseconds: performance.now() - begin })
    })
  })
}

function parse(octets: string): Pick<Answer, 'status' | 'body'> {
  const [, status] = /^HTTP\/1\.[01] (\d{3})/.exec(octets) ?? []
  const end = octets.indexOf('\r\n\r\n')
  if (status === '100') return parse(octets.slice(end + 4))
  const [head, rest] = [octets.slice(0, end), octets.slice(end + 4)]
  const body = /^transfer-encoding: *chunked/im.test(head) ? unchunk(rest) : rest
  return { status: status === undefined ? undefined : Number(status), body }
}

function unchunk(octets: string): string {
  let [body, place] = ['', 0]
  for (;;) {
    const line = octets.indexOf('\r\n', place)
    const size = Number.parseInt(octets.slice(place, line), 16)
    if (line < 0 || !(size > 0)) return body
    body += octets.slice(line + 2, line + 2 + size)
    place = line + 2 + size + 2
  }
}
