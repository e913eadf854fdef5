/** The records of trusted issuers: what an operator submits, and what is stored. */

import * as v from 'valibot'
import { ASSERTION_ALGORITHMS } from '../assertions/algorithms.ts'
import { JwkSet } from '../assertions/jwk_set.ts'
import { isPublicUrl } from '../assertions/remote_keys.ts'
import { readLatest } from '../records/change.ts'
import { keyOf, parseRecord, type RecordKind } from '../records/records.ts'
import type { Registry } from '../stores/contracts.ts'
import type { TrustedIssuer } from '../types.ts'
import { type GivenIssuer, ISSUER_USES, PRESET_NAMES } from './presets.ts'
import { RequiredClaim } from './rule_checks.ts'
import { SUBJECT_FORMS } from './subject.ts'

/** A day, the longest time for which a platform token is accepted. */
export const MAX_AGE_SECONDS: number = 86_400

const HTTPS = /^https:\/\/[a-z\d.:[\]-]+(?:\/[\w.~%!$&'()*+,;=:@-]+)*\/?$/
const SPIFFE = /^spiffe:\/\/[a-z\d._-]+$/

/**
 * Identifier of a trusted issuer, as its tokens have it in `iss`: an https URL without query and fragment, or `spiffe://` and a
 * trust domain. It is compared exactly, so a final slash counts.
 */
export const IssuerId: v.GenericSchema<string> = v.pipe(
  v.string('must be a string'),
  v.maxLength(256, 'must have at most 256 characters'),
  v.check(
    (text) => (HTTPS.test(text) && URL.canParse(text)) || SPIFFE.test(text),
    'must be an https URL with a host in lower case and without query or fragment, or spiffe:// and a trust domain',
  ),
  v.check((text) => !/(^|\/)\.{1,2}(\/|$)|%2e/i.test(text), 'must not have . or .. as a path segment'),
)

const Uri = v.pipe(
  v.string('must be a string'),
  v.maxLength(2048, 'must have at most 2048 characters'),
  v.check(isPublicUrl, 'must be an https URL of a public host, without user information'),
)

const listOf = <T>(item: v.GenericSchema<T>, least: number, most: number): v.GenericSchema<T[]> =>
  v.pipe(
    v.array(item, 'must be a list'),
    v.minLength(least, `must have at least ${least} items`),
    v.maxLength(most, `must have at most ${most} items`),
  )

const text = (most: number): v.GenericSchema<string> =>
  v.pipe(
    v.string('must be a string'),
    v.regex(new RegExp(`^[\\x20-\\x7e]{1,${most}}$`), `must be 1 to ${most} ASCII characters`),
  )

const oneOf = (names: readonly string[]): v.GenericSchema<string> =>
  v.picklist(names, `must be one of: ${names.join(', ')}`)

const Flag = v.boolean('must be true or false')

/** Schema of a trusted issuer in a request of an operator. Unknown members are ignored. */
export const IssuerMembers: v.GenericSchema<unknown, GivenIssuer> = v.object({
  issuer: IssuerId,
  preset: v.optional(oneOf(PRESET_NAMES)),
  jwks: v.optional(JwkSet),
  jwks_uri: v.optional(Uri),
  discovery_uri: v.optional(Uri),
  spiffe_bundle_endpoint: v.optional(Uri),
  audiences: v.optional(listOf(text(512), 0, 10)),
  signing_algs: v.optional(listOf(oneOf([...ASSERTION_ALGORITHMS.keys()]), 1, ASSERTION_ALGORITHMS.size)),
  max_age: v.optional(
    v.pipe(
      v.number('must be a number of seconds'),
      v.integer('must be whole seconds'),
      v.minValue(1, 'must be at least 1'),
      v.maxValue(MAX_AGE_SECONDS, `must be at most ${MAX_AGE_SECONDS}`),
    ),
  ),
  single_use: v.optional(Flag),
  required_claims: v.optional(listOf(RequiredClaim, 1, 10)),
  token_types: v.optional(
    listOf(
      v.pipe(
        text(100),
        v.check((typ) => typ === typ.toLowerCase(), 'must be in lower case'),
      ),
      0,
      10,
    ),
  ),
  uses: v.optional(listOf(oneOf(ISSUER_USES), 1, ISSUER_USES.length)),
  subject: v.optional(oneOf(SUBJECT_FORMS)),
  access_token_lifetime: v.optional(
    v.pipe(
      v.number('must be a number of seconds'),
      v.integer('must be whole seconds'),
      v.minValue(1, 'must be at least 1'),
    ),
  ),
  disabled: v.optional(Flag),
})

const Texts = v.array(v.string())

/** The records of trusted issuers, by identifier. */
export const ISSUERS: RecordKind<TrustedIssuer> = {
  prefix: 'issuer',
  schema: v.object({
    issuer: IssuerId,
    preset: v.optional(v.string()),
    jwks: v.optional(JwkSet),
    jwks_uri: v.optional(v.string()),
    discovery_uri: v.optional(v.string()),
    spiffe_bundle_endpoint: v.optional(v.string()),
    audiences: v.optional(Texts),
    signing_algs: Texts,
    max_age: v.pipe(v.number(), v.minValue(1)),
    single_use: v.boolean(),
    required_claims: v.pipe(Texts, v.minLength(1)),
    token_types: v.optional(Texts),
    uses: Texts,
    subject: v.optional(v.string()),
    access_token_lifetime: v.optional(v.pipe(v.number(), v.minValue(1))),
    disabled: v.optional(v.boolean()),
  }),
  idOf: ({ issuer }) => issuer,
}

/**
 * Returns the latest record of a trusted issuer, undefined when there is none.
 *
 * @throws OAuthError `temporarily_unavailable` when the store fails or the record is malformed
 */
export async function readIssuer(registry: Registry, issuer: string): Promise<TrustedIssuer | undefined> {
  const record = v.is(IssuerId, issuer) ? await readLatest(registry, keyOf(ISSUERS, issuer)) : undefined
  return record === undefined ? undefined : parseRecord(record, issuer, ISSUERS)
}
