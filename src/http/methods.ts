/** The 405 response to a method that a path does not support, RFC 9110 §15.5.6. */

import type { Env, Hono } from 'hono'
import { methodNotAllowed } from '../errors.ts'

/** Hono registers middleware as `ALL`, and OPTIONS routes exist for CORS preflights only. */
const NOT_LISTED: readonly string[] = ['ALL', 'OPTIONS']

/**
 * Makes each path of an app answer 405 with `Allow` to methods that it has no route for. Call it after all routes are
 * registered. Paths without a route are left to the app that this one is mounted in.
 */
export function refuseOtherMethods<E extends Env>(app: Hono<E>): void {
  const methodsOf = new Map<string, Set<string>>()
  for (const { path, method } of app.routes) {
    if (NOT_LISTED.includes(method)) continue
    const methods = methodsOf.get(path) ?? new Set()
    // Hono answers HEAD for every GET route.
    for (const each of method === 'GET' ? ['GET', 'HEAD'] : [method]) methods.add(each)
    methodsOf.set(path, methods)
  }
  for (const [path, methods] of methodsOf) {
    app.all(path, () => {
      throw methodNotAllowed([...methods])
    })
  }
}
