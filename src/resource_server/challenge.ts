/** The response to a refused request. */

import { DPOP_ALGORITHMS } from '../assertions/dpop_proof.ts'
import { type GuardReason, REFUSALS, type Refusal } from './refusals.ts'

const RETRY_SECONDS = 5

export interface ChallengeOptions {
  /** URL of the metadata of the API, RFC 9728 §5.1. */
  readonly resourceMetadata?: string | undefined
  readonly isDpopRequired: boolean
}

/** What the request has shown of itself when it is refused. */
export interface Refused {
  readonly reason: GuardReason
  readonly scheme?: 'Bearer' | 'DPoP' | undefined
  /** Scopes that the request needs. */
  readonly scope?: string | undefined
  readonly nonce?: string | undefined
}

/**
 * Returns the response, with a challenge unless the guard could not decide. A request without credentials learns of both schemes
 * and of no error.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-3 RFC 6750 §3}, {@link https://www.rfc-editor.org/rfc/rfc9449#section-7.1 RFC 9449 §7.1}
 */
export function refuse({ reason, scheme, scope, nonce }: Refused, options: ChallengeOptions): Response {
  const { status, error, description }: Refusal = REFUSALS[reason]
  const headers: Record<string, string> = { 'Cache-Control': 'no-store' }
  if (nonce !== undefined) headers['DPoP-Nonce'] = nonce
  if (status === 503) headers['Retry-After'] = String(RETRY_SECONDS)
  else {
    const about = { error, error_description: description, scope, resource_metadata: options.resourceMetadata }
    const schemes = schemesFor(reason, scheme, options)
    headers['WWW-Authenticate'] = schemes.map((each) => challenge(each, about)).join(', ')
  }
  return new Response(null, { status, headers })
}

function schemesFor(
  reason: GuardReason,
  scheme: Refused['scheme'],
  { isDpopRequired }: ChallengeOptions,
): readonly string[] {
  if (isDpopRequired || reason === 'binding_needs_dpop') return ['DPoP']
  return scheme === undefined ? ['Bearer', 'DPoP'] : [scheme]
}

function challenge(scheme: string, about: Readonly<Record<string, string | undefined>>): string {
  const parameters = { ...about, ...(scheme === 'DPoP' && { algs: DPOP_ALGORITHMS.join(' ') }) }
  const texts = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}="${value.replace(/[^\x20-\x7e]|["\\]/g, '?')}"`],
  )
  return texts.length > 0 ? `${scheme} ${texts.join(', ')}` : scheme
}
