/** What is known of a request before anything in it is believed: its id and the address that it came from. */

import type { ServerEvent } from './events.ts'

/** One request, and the party that sent it. */
export interface Caller {
  /** Names the request in the log and in its response. The caller does not choose it. */
  readonly requestId: string
  /** Returns the IP address, undefined where the runtime does not report it. Computed when asked for. */
  address(): string | undefined
}

/** Returns an event with the id and the address of the request in whose course it happened. */
export function withCaller(event: ServerEvent, caller: Caller): ServerEvent {
  const address = caller.address()
  return address === undefined
    ? { ...event, request_id: caller.requestId }
    : { ...event, request_id: caller.requestId, address }
}
