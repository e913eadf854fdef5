/** The edge of the provider: what happens around every handler. */

import { type Env, type Handler, Hono } from 'hono'
import type { Emit } from '../events/events.ts'
import { beginCaller, type FindAddress, hasCaller, nameResponse } from './caller.ts'
import { refuse } from './respond.ts'

export interface ObserveOptions {
  readonly emit: Emit
  /** By default the address of a caller is that of the peer. */
  readonly findAddress?: FindAddress | undefined
}

/**
 * Returns an app with the same routes. Each request that reaches one is given its id, which the response names, and whatever a
 * handler throws becomes a refusal. Handlers are wrapped, because a middleware for all paths would also run on those of the app in
 * which this one is mounted.
 */
export function observe<E extends Env>(app: Hono<E>, options: ObserveOptions): Hono<E> {
  const observed = new Hono<E>()
  observed.onError((error, c) => refuse(c, error, options.emit))
  for (const { method, path, handler } of app.routes) observed.on(method, path, observeHandler(handler, options))
  return observed
}

function observeHandler(handler: Handler, { emit, findAddress }: ObserveOptions): Handler {
  return async (c, next) => {
    // The first of the handlers that a request passes through observes the others.
    if (hasCaller(c)) return handler(c, next)
    const caller = beginCaller(c, findAddress)
    try {
      return nameResponse(c, caller, await handler(c, next))
    } catch (error) {
      return refuse(c, error, emit)
    }
  }
}
