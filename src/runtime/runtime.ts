/** The contract of the runtime modules, one of which `#runtime` resolves to. */

import type { Host, Server } from '../start.ts'

/** The default export of the entry, in the form that Workers, `deno serve` and Bun require. */
export interface Handler {
  fetch(request: Request, ...rest: never[]): Response | Promise<Response>
}

/**
 * Creates the server from the runtime's environment. If the entry is the main module and the runtime does not serve a
 * default export itself, also listens on the port.
 */
export type Start = (createServer: (host: Host) => Promise<Server>, isMain: boolean) => Promise<Handler>

/** Creates the server from the runtime's environment. */
export type Open = (createServer: (host: Host) => Promise<Server>) => Promise<Server>

/** Serves on the port of the settings until a signal ends the process. For the command line, which is not the entry itself. */
export type Serve = (createServer: (host: Host) => Promise<Server>) => Promise<void>
