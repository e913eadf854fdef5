/** The caller of a request: made once, kept for the whole request, named in its events and in its response. */

import type { Context } from 'hono'
import type { Connection } from '../certificates/client_cert.ts'
import { type Caller, withCaller } from '../events/caller.ts'
import type { Emit, ServerEvent } from '../events/events.ts'

/** What is kept for a request. */
interface Kept extends Caller {
  /** Whether the headers of the response have the id already. */
  isNamed: boolean
}

/** Returns the address of a caller. `peer` is that of the other end of the connection, IPv4 not mapped to IPv6. */
export type FindAddress = (headers: Headers, peer: string) => string

const VARIABLE = 'caller'

const REQUEST_ID = 'X-Request-Id'

/** Returns the caller of a request, always the same value. */
export function callerOf(c: Context): Kept {
  return c.get(VARIABLE) ?? beginCaller(c)
}

/** Whether the id of a request was made. */
export function hasCaller(c: Context): boolean {
  return c.get(VARIABLE) !== undefined
}

/** Makes the caller of a request. Without `findAddress`, its address is that of the peer. */
export function beginCaller(c: Context<{ Bindings: Connection }>, findAddress?: FindAddress): Kept {
  const caller: Kept = {
    // As hard to guess as the `jti` of a token, and as cheap.
    requestId: c.env?.requestId?.() ?? crypto.randomUUID(),
    isNamed: false,
    address() {
      const peer = c.env?.peer?.()
      if (peer === undefined) return c.env?.callerAddress?.()
      const plain = unmapped(peer)
      return findAddress === undefined ? plain : findAddress(c.req.raw.headers, plain)
    },
  }
  c.set(VARIABLE as never, caller as never)
  return caller
}

/** Runtimes that listen on IPv6 write an IPv4 peer in this form. Each event of a request has the address, so nothing is parsed. */
function unmapped(peer: string): string {
  return peer.startsWith('::ffff:') && peer.includes('.') ? peer.slice('::ffff:'.length) : peer
}

/** Returns headers with the id of the request: on Node, to add it to a finished response costs as much as to make one. */
export function withRequestId(c: Context, headers: Readonly<Record<string, string>>): Record<string, string> {
  const caller = callerOf(c)
  caller.isNamed = true
  return { ...headers, [REQUEST_ID]: caller.requestId }
}

/** Adds the id of the request to what a handler returned. A middleware returns nothing or what `next` returns, the context. */
export function nameResponse(c: Context, { requestId, isNamed }: Kept, returned: unknown): Response {
  const named = returned === undefined || returned === c ? c.res : (returned as Response)
  if (isNamed) return named
  try {
    named.headers.set(REQUEST_ID, requestId)
    return named
  } catch {
    // The headers of some responses, such as redirects, cannot be changed.
    const copy = new Response(named.body, named)
    copy.headers.set(REQUEST_ID, requestId)
    return copy
  }
}

/** Emits an event with the id and the address of the request in whose course it happened. */
export function emitFrom(c: Context, emit: Emit, event: ServerEvent): void {
  emit(withCaller(event, callerOf(c)))
}
