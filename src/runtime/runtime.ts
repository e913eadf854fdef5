/** What every runtime module gives to the entry. */

import type { Host, Server } from '../start.ts'

/** The default export of the entry, as Workers, `deno serve` and Bun want it. */
export interface Handler {
  fetch(request: Request, ...rest: never[]): Response | Promise<Response>
}

/**
 * Makes the server out of the runtime's environment and, when the entry is the main module and the runtime does not
 * serve a default export by itself, binds its port.
 */
export type Start = (createServer: (host: Host) => Promise<Server>, isMain: boolean) => Promise<Handler>
