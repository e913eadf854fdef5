/** The metadata of a protected API, RFC 9728. */

import { DPOP_ALGORITHMS } from '../assertions/dpop_proof.ts'
import { isSafeUrl } from '../lib/safe_url.ts'
import type { GuardedRequest } from './credentials.ts'

/** Time for which caches may keep it. */
const MAX_AGE_SECONDS = 300

export interface ResourceMetadataOptions {
  /** The identifier of the API: an https URL without fragment. */
  readonly resource: string
  readonly authorization_servers: readonly string[]
  readonly scopes_supported?: readonly string[] | undefined
  readonly resource_name?: string | undefined
  readonly resource_documentation?: string | undefined
  readonly dpop_bound_access_tokens_required?: boolean | undefined
  readonly tls_client_certificate_bound_access_tokens?: boolean | undefined
  readonly authorization_details_types_supported?: readonly string[] | undefined
  /** Any other member of RFC 9728 §2. */
  readonly [member: string]: unknown
}

/** Signs the metadata, and returns a JWT whose `iss` is the party that attests to it. */
export type SignMetadata = (claims: Readonly<Record<string, unknown>>) => Promise<string>

export interface ResourceMetadata {
  /** Where it is published, for `resourceMetadata` of `protect`. */
  readonly url: string
  /** Returns the response to a request for its URL, undefined for any other path. */
  respond(request: GuardedRequest): Promise<Response | undefined>
}

/**
 * Returns the metadata of an API as a handler. It is public: pages of any origin may read it.
 *
 * @param sign without it, there is no `signed_metadata`
 * @throws TypeError when `resource` is not an https URL without fragment
 * @see {@link https://www.rfc-editor.org/rfc/rfc9728#section-3 RFC 9728 §3}
 */
export function resourceMetadata(options: ResourceMetadataOptions, sign?: SignMetadata): ResourceMetadata {
  const url = wellKnownOf(options.resource)
  const document = {
    bearer_methods_supported: ['header'],
    dpop_signing_alg_values_supported: DPOP_ALGORITHMS,
    ...options,
  }
  const signed = async () => (sign === undefined ? {} : { signed_metadata: await sign(document) })
  const path = new URL(url).pathname
  const headers = {
    'Content-Type': 'application/json',
    'Cache-Control': `public, max-age=${MAX_AGE_SECONDS}`,
    'Access-Control-Allow-Origin': '*',
  }
  return {
    url,
    async respond(request) {
      if (!URL.canParse(request.url) || new URL(request.url).pathname !== path) return undefined
      if (request.method !== 'GET' && request.method !== 'HEAD')
        return new Response(null, { status: 405, headers: { Allow: 'GET, HEAD' } })
      return new Response(JSON.stringify({ ...document, ...(await signed()) }), { headers })
    },
  }
}

/** RFC 9728 §3.1: the well-known path goes between the host and the path of the identifier. */
function wellKnownOf(resource: string): string {
  if (!isSafeUrl(resource) || resource.includes('#'))
    throw new TypeError('resource: must be an https URL without fragment')
  const url = new URL(resource)
  return `${url.origin}/.well-known/oauth-protected-resource${url.pathname.replace(/\/$/, '')}${url.search}`
}
