/** The options of `issuers create` and `issuers update`, and their conversion to the members of a trusted issuer. */

import { type Command, Option } from 'commander'
import { ASSERTION_ALGORITHMS } from '../assertions/algorithms.ts'
import { PRESET_NAMES, type PresetName } from '../issuers/presets.ts'
import { SUBJECT_FORMS } from '../issuers/subject.ts'
import { positiveSeconds, repeated } from './arguments.ts'
import type { Members } from './http.ts'
import { readPublicKeys } from './issuer_records.ts'

/** The options as commander returns them. */
export interface IssuerOptions {
  readonly preset?: PresetName
  readonly jwks?: string
  readonly jwksUri?: string
  readonly discoveryUri?: string
  readonly spiffeBundleEndpoint?: string
  readonly audience?: string[]
  readonly signingAlg?: string[]
  readonly maxAge?: number
  readonly singleUse?: boolean
  readonly requiredClaim?: string[]
  readonly tokenType?: string[]
  readonly use?: string[]
  readonly subject?: string
  readonly lifetime?: number
  readonly disabled?: boolean
}

/** The members that say where the keys are. An issuer has at most one of them. */
const KEY_MEMBERS: readonly string[] = ['jwks', 'jwks_uri', 'discovery_uri', 'spiffe_bundle_endpoint']

export function withIssuerMembers(command: Command): Command {
  return command
    .addOption(new Option('--preset <platform>', 'platform that fills the other members').choices(PRESET_NAMES))
    .option('--jwks <file>', 'file with its public JWK Set, or - for standard input')
    .option('--jwks-uri <url>', 'URL of its public JWK Set')
    .option('--discovery-uri <url>', 'URL of its metadata, if that is not below the issuer')
    .option('--spiffe-bundle-endpoint <url>', 'URL of the bundle of a trust domain')
    .option('--audience <aud>', 'aud to accept besides this server; repeatable', repeated)
    .option('--signing-alg <alg>', `algorithm to accept, of ${algorithms()}; repeatable`, repeated)
    .option('--max-age <seconds>', 'greatest age of its tokens', positiveSeconds)
    .option('--single-use', 'accept each of its tokens once')
    .option('--no-single-use', 'accept its tokens until they expire')
    .option('--required-claim <name>', 'claim that a rule must pin, or one of several; repeatable', repeated)
    .option('--token-type <typ>', 'typ to accept besides JWT and none; repeatable', repeated)
    .option('--use <use>', 'what its tokens are for; default client_authentication; repeatable', repeated)
    .addOption(new Option('--subject <form>', 'what names the subject of an assertion').choices(SUBJECT_FORMS))
    .option('--lifetime <seconds>', 'access_token_lifetime of tokens for its assertions', positiveSeconds)
    .option('--disabled', 'accept none of its tokens')
    .option('--no-disabled', 'accept its tokens')
}

function algorithms(): string {
  return [...ASSERTION_ALGORITHMS.keys()].join(', ')
}

/** Returns the members that the options set. */
export async function issuerMembersOf(options: IssuerOptions): Promise<Members> {
  const members = {
    preset: options.preset,
    jwks: options.jwks === undefined ? undefined : await readPublicKeys(options.jwks),
    jwks_uri: options.jwksUri,
    discovery_uri: options.discoveryUri,
    spiffe_bundle_endpoint: options.spiffeBundleEndpoint,
    audiences: options.audience,
    signing_algs: options.signingAlg,
    max_age: options.maxAge,
    single_use: options.singleUse,
    required_claims: options.requiredClaim,
    token_types: options.tokenType?.map((typ) => typ.toLowerCase()),
    uses: options.use,
    subject: options.subject,
    access_token_lifetime: options.lifetime,
    disabled: options.disabled,
  }
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}

/** Returns a record with changes. A new place of the keys takes the place of the old one. */
export function changedIssuer(held: Members, changes: Members, cleared: readonly string[] = []): Members {
  const isMoved = KEY_MEMBERS.some((member) => member in changes)
  const kept = Object.entries(held).filter(
    ([member]) => !cleared.includes(member) && !(isMoved && KEY_MEMBERS.includes(member)),
  )
  return { ...Object.fromEntries(kept), ...changes }
}
