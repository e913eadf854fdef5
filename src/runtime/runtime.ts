/** The contract of the runtime modules, one of which `#runtime` resolves to. */

import type { App } from '../endpoints/endpoint.ts'
import type { Address } from '../listen_address.ts'
import type { Host, Server } from '../start.ts'
import type { Stores } from '../stores/contracts.ts'
import type { Put } from './line_writer.ts'

/** The default export of the entry, in the form that Workers, `deno serve` and Bun require. */
export interface Handler {
  fetch(request: Request, ...rest: never[]): Response | Promise<Response>
}

export type CreateServer = (host: Host) => Promise<Server>

/** Environment variables, settings among them. */
export type Environment = Readonly<Record<string, unknown>>

/**
 * Creates the server from the runtime's environment. If the entry is the main module, also listens on the port, except under
 * `deno serve` and on Workers, which serve the default export.
 */
export type Start = (createServer: CreateServer, isMain: boolean) => Promise<Handler>

/** Functions that open stores, by the scheme of the URL. The module of a store is loaded only if it is used. */
export type Backends = Readonly<Record<string, (url: string) => Promise<Stores>>>

/** What Deno, Bun and Node do differently; `serve.ts` serves with it. */
export interface ProcessRuntime {
  /** Stores in addition to those of every runtime. */
  readonly backends?: Backends
  /** Returns the function that writes the audit log to standard output. It does not block the process while a pipe is full. */
  openOutput(): Put
  /** Serves the app. Rejects if the address cannot be bound. */
  listen(app: Served, address: Address): Promise<Listener>
}

/** What a runtime serves. */
export type Served = Pick<App, 'fetch'>

/** A bound port. */
export interface Listener extends Required<Address> {
  /** Accepts no more connections. Resolves when all pending requests are answered; connections without one are closed. */
  stop(): Promise<unknown>
}
