/** The answer to a method that a path has no route for, RFC 9110 §15.5.6. */

import type { Env, Hono } from 'hono'
import { methodNotAllowed } from '../errors.ts'

/** Hono registers middleware as `ALL`; OPTIONS has routes for CORS preflights only. */
const NOT_OFFERED: readonly string[] = ['ALL', 'OPTIONS']

/**
 * Makes each path of an app answer 405 with `Allow` to the methods that it has no route for. Call it last. Paths without
 * a route stay with the app that this one is mounted in.
 */
export function refuseOtherMethods<E extends Env>(app: Hono<E>): void {
  const methodsOf = new Map<string, Set<string>>()
  for (const { path, method } of app.routes) {
    if (NOT_OFFERED.includes(method)) continue
    const methods = methodsOf.get(path) ?? new Set()
    // Hono answers HEAD wherever there is GET.
    for (const each of method === 'GET' ? ['GET', 'HEAD'] : [method]) methods.add(each)
    methodsOf.set(path, methods)
  }
  for (const [path, methods] of methodsOf) {
    app.all(path, () => {
      throw methodNotAllowed([...methods])
    })
  }
}
