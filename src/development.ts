/** Development mode: a client with a well-known secret, for requests from this machine only. */

import type { MiddlewareHandler } from 'hono'
import type { Connection } from './certificates/client_cert.ts'
import { clientKey, clientRecord } from './clients/registry.ts'
import type { TokenForm } from './endpoints/home_form.ts'
import { temporarilyUnavailable } from './errors.ts'
import { isLoopbackAddress } from './lib/ip_address.ts'
import { isLoopback } from './lib/loopback.ts'
import type { Registry } from './stores/contracts.ts'
import type { Client } from './types.ts'

/** The client that the README uses; the hash is bcrypt of `foobar`. It exists in development only and in no store. */
const testClient: Client = {
  client_id: 'test-client',
  client_secrets: [{ id: 'development', hash: '$2b$10$U1iBZxDfVh5rEHwxhvXTCOGfkAmXAS5mPq/hcaHaPjzl0dvab7j1K' }],
  grant_types: ['client_credentials'],
  scope: 'read write',
}

/** The form of the page at `/` for the test client. */
export const testForm: TokenForm = { clientId: testClient.client_id, clientSecret: 'foobar', scope: 'read' }

/** Returns the registry with the test client added to it. */
export function withTestClient(registry: Registry): Registry {
  const key = clientKey(testClient.client_id)
  const { lagSeconds } = registry
  return {
    ...(lagSeconds !== undefined && { lagSeconds }),
    get: async (wanted, options) => (wanted === key ? clientRecord(testClient) : registry.get(wanted, options)),
    put: (wanted, value) => registry.put(wanted, value),
    delete: (wanted) => registry.delete(wanted),
    replace: (wanted, expected, value) => registry.replace(wanted, expected, value),
    remove: (wanted, expected) => registry.remove(wanted, expected),
    list: (prefix, options) => registry.list(prefix, options),
  }
}

/** Refuses requests that come from another machine or through a proxy. */
export const requireLoopback: MiddlewareHandler<{ Bindings: Connection }> = async (c, next) => {
  if (!isFromHere(c.req.raw, c.env?.peer?.())) {
    throw temporarilyUnavailable('host_not_loopback', 'Development mode answers on loopback hosts only.')
  }
  await next()
}

/** Headers that proxies add. */
const FORWARDED = [
  'Forwarded',
  'Via',
  'X-Forwarded-For',
  'X-Forwarded-Host',
  'X-Forwarded-Port',
  'X-Forwarded-Proto',
  'X-Forwarded-Server',
  'X-Real-IP',
]

/**
 * Returns whether both ends of the connection are this machine. A proxy that adds no header cannot be detected.
 * `CF-Connecting-IP` is set by Cloudflare's proxies, and by `wrangler dev` to the caller's address unless the caller sent one.
 */
function isFromHere({ url, headers }: Request, peer = '127.0.0.1'): boolean {
  const client = headers.get('CF-Connecting-IP') ?? peer
  const isForwarded = FORWARDED.some((name) => headers.has(name))
  const isHere = isLoopbackAddress(peer) && isLoopbackAddress(client)
  return !isForwarded && isHere && URL.canParse(url) && isLoopback(new URL(url).hostname)
}
