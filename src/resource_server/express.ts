/** Protection of routes of an Express app, or of anything else that takes its middleware. */

import { certificateOf, guardedRequestOf, type NodeRequest } from './node_request.ts'
import type { Guard, GuardDemands } from './protect.ts'
import type { VerifiedToken } from './token.ts'

interface ExpressRequest extends NodeRequest {
  readonly originalUrl?: string | undefined
  token?: VerifiedToken
}

interface NodeResponse {
  statusCode: number
  setHeader(name: string, value: string): unknown
  end(): unknown
}

/** Returns an Express middleware that lets a request pass with its verified token at `request.token`. */
export function expressGuard(
  guard: Guard,
  demands: GuardDemands = {},
): (request: ExpressRequest, response: NodeResponse, next: (error?: unknown) => void) => Promise<void> {
  return async (request, response, next) => {
    try {
      const guarded = guardedRequestOf(request, request.originalUrl)
      const result = await guard(guarded, { certificate: certificateOf(request), ...demands })
      const headers = result instanceof Response ? result.headers : new Headers(result.responseHeaders)
      for (const [name, value] of headers) response.setHeader(name, value)
      if (!(result instanceof Response)) {
        request.token = result
        return next()
      }
      response.statusCode = result.status
      response.end()
    } catch (error) {
      next(error)
    }
  }
}
