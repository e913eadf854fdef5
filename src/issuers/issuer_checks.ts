/** What the members of a trusted issuer must mean together. */

import { problemOfKey } from '../assertions/public_key.ts'
import { isPublicUrl } from '../assertions/remote_keys.ts'
import type { TrustedIssuer } from '../types.ts'
import { svidKeys } from './keys.ts'
import { presetOf, requiredClaimsOf } from './presets.ts'

/** The members that name the keys of an issuer. */
const KEY_MEMBERS = ['jwks', 'jwks_uri', 'discovery_uri', 'spiffe_bundle_endpoint'] as const

/**
 * Returns what is wrong with an issuer, as a sentence without its end that begins with the name of a member, or undefined.
 *
 * @param ownIssuer issuer identifier of this server, which must not trust its own tokens
 */
export async function problemOfIssuer(issuer: TrustedIssuer, ownIssuer: string): Promise<string | undefined> {
  const problem = problemOfPlace(issuer, ownIssuer) ?? problemOfRequired(issuer) ?? problemOfSource(issuer)
  return problem ?? (await problemOfInlineKeys(issuer))
}

/** Returns whether two issuers are at the same place, however that is spelled and whatever the paths are. */
function isSamePlace(one: string, other: string): boolean {
  return placeOf(one) === placeOf(other)
}

function placeOf(issuer: string): string {
  const { protocol, hostname, port } = new URL(issuer)
  return `${protocol}//${hostname.replace(/\.$/, '')}:${port}`
}

function problemOfPlace({ issuer, preset }: TrustedIssuer, ownIssuer: string): string | undefined {
  if (isSamePlace(issuer, ownIssuer)) return 'issuer: must not be this server, nor another issuer at its origin'
  const needed = presetOf(issuer)
  if (needed !== undefined && preset !== needed) return `preset: must be ${needed} for this issuer`
  return preset === 'spiffe' && needed === undefined
    ? 'preset: spiffe is for issuers that begin with spiffe://'
    : undefined
}

function problemOfRequired(issuer: TrustedIssuer): string | undefined {
  const offered = requiredClaimsOf(issuer)
  const isWithin = issuer.required_claims.every((name) => offered === undefined || offered.includes(name))
  return isWithin
    ? undefined
    : `required_claims: must be among those of the preset ${issuer.preset}: ${offered?.join(', ')}`
}

function problemOfSource(issuer: TrustedIssuer): string | undefined {
  const [source, another] = KEY_MEMBERS.filter((member) => issuer[member] !== undefined)
  if (another !== undefined) return `${another}: must not be combined with ${source}`
  if (issuer.preset === 'spiffe') {
    const isBundle = source === 'spiffe_bundle_endpoint' || source === 'jwks'
    return isBundle ? undefined : 'spiffe_bundle_endpoint: is needed for a trust domain, or its bundle as jwks'
  }
  if (source === 'spiffe_bundle_endpoint') return 'spiffe_bundle_endpoint: is for issuers that begin with spiffe://'
  const isFound = source !== undefined || isPublicUrl(issuer.issuer)
  return isFound
    ? undefined
    : 'jwks: is needed, because the issuer is not a public host from which keys could be fetched'
}

async function problemOfInlineKeys({ jwks, preset }: TrustedIssuer): Promise<string | undefined> {
  if (jwks === undefined) return undefined
  const keys = preset === 'spiffe' ? svidKeys(jwks.keys) : jwks.keys
  if (keys.length === 0) return preset === 'spiffe' ? 'jwks: has no key with the use jwt-svid' : 'jwks: has no key'
  for (const key of keys) {
    const problem = await problemOfKey(key)
    if (problem !== undefined) return `jwks: ${problem}`
  }
  return undefined
}
