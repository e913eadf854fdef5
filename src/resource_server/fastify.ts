/** Protection of routes of a Fastify app. */

import { certificateOf, guardedRequestOf, type NodeRequest } from './node_request.ts'
import type { Guard, GuardDemands } from './protect.ts'
import type { VerifiedToken } from './token.ts'

interface FastifyRequest {
  readonly raw: NodeRequest
  readonly originalUrl?: string
  token?: VerifiedToken
}

interface FastifyReply {
  code(status: number): FastifyReply
  headers(values: Record<string, string>): FastifyReply
  send(): FastifyReply
}

/** Returns a Fastify hook, for `onRequest`, that lets a request pass with its verified token at `request.token`. */
export function fastifyGuard(
  guard: Guard,
  demands: GuardDemands = {},
): (request: object, reply: object) => Promise<unknown> {
  return async (request, reply) => {
    const [asked, answer] = [request as FastifyRequest, reply as FastifyReply]
    const guarded = guardedRequestOf(asked.raw, asked.originalUrl)
    const result = await guard(guarded, { certificate: certificateOf(asked.raw), ...demands })
    if (result instanceof Response) return answer.code(result.status).headers(Object.fromEntries(result.headers)).send()
    asked.token = result
    answer.headers({ ...result.responseHeaders })
    return undefined
  }
}
