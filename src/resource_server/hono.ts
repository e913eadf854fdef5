/** Protection of routes of a Hono app. */

import type { Context, MiddlewareHandler } from 'hono'
import type { Guard, GuardDemands } from './protect.ts'
import type { WaitUntil } from './refreshed.ts'
import type { VerifiedToken } from './token.ts'

/** What the middleware adds to a context: `c.get('token')`. */
export type GuardEnv = { Variables: { token: VerifiedToken } }

/** Returns a Hono middleware that lets a request pass with its verified token. */
export function honoGuard(guard: Guard, demands: GuardDemands = {}): MiddlewareHandler<GuardEnv> {
  return async (c, next) => {
    const result = await guard(c.req.raw, { waitUntil: waitUntilOf(c), ...demands })
    if (result instanceof Response) return result
    c.set('token', result)
    await next()
    for (const [name, value] of Object.entries(result.responseHeaders)) c.header(name, value)
    return undefined
  }
}

/** Hono throws where the runtime has no execution context. */
function waitUntilOf(c: Context): WaitUntil | undefined {
  try {
    const { executionCtx } = c
    return (work) => executionCtx.waitUntil(work)
  } catch {
    return undefined
  }
}
