/** How the subject of an assertion is named in the token that is issued for it. */

import type { TrustedIssuer } from '../types.ts'
import type { Claims } from './claim_rules.ts'

/** The values of `subject` in the record of an issuer. */
export const SUBJECT_FORMS = ['iss_sub', 'sub', 'aud_sub'] as const

const MAX_CHARACTERS = 2048

/**
 * Returns the `sub` of the token; undefined when the assertion names no subject, or one that is too long. Two issuers, and two
 * tenants of one issuer, can use the same `sub`, so by default it is the issuer, the tenant if there is one, and the `sub`, with `|`
 * between them.
 */
export function subjectOf({ sub, tenant, aud_sub }: Claims, { issuer, subject }: TrustedIssuer): string | undefined {
  if (!isName(sub) || (tenant !== undefined && !isName(tenant))) return undefined
  if (subject === 'sub') return sub
  if (subject === 'aud_sub' && aud_sub !== undefined) return isName(aud_sub) ? aud_sub : undefined
  const named = [issuer, ...(tenant === undefined ? [] : [escapePart(tenant)]), escapePart(sub)].join('|')
  return named.length <= MAX_CHARACTERS ? named : undefined
}

/** So that a separator in a name cannot move what follows it into another part. */
function escapePart(name: string): string {
  return name.replaceAll('%', '%25').replaceAll('|', '%7C')
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_CHARACTERS
}
