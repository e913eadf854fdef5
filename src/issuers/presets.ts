/** What is known about the tokens of platforms. A preset fills the members that a trusted issuer is registered without. */

import type { TrustedIssuer } from '../types.ts'

/** Members that a preset can fill. */
type Filled = Pick<TrustedIssuer, 'signing_algs' | 'max_age' | 'single_use' | 'required_claims' | 'uses'>

interface Preset extends Partial<Filled> {
  /** The usual issuer of the platform, or the beginning of all of them. Only this preset is accepted for these issuers. */
  readonly at?: string
  /** Whether the platform has exactly one issuer, which is `at`. */
  readonly isOne?: true
}

/** What an operator submits: members that a preset or a default fills may be missing. */
export type GivenIssuer = Pick<TrustedIssuer, 'issuer'> & {
  readonly [Name in keyof TrustedIssuer]?: TrustedIssuer[Name] | undefined
}

/** The features that accept foreign tokens. */
export const ISSUER_USES = ['client_authentication', 'jwt_bearer', 'id_jag'] as const

export type IssuerUse = (typeof ISSUER_USES)[number]

const DEFAULTS: Filled = {
  signing_algs: ['RS256', 'ES256'],
  max_age: 3600,
  single_use: false,
  required_claims: ['sub'],
  uses: ['client_authentication'],
}

export type PresetName =
  | 'github'
  | 'gitlab'
  | 'kubernetes'
  | 'spiffe'
  | 'google'
  | 'aws'
  | 'azure'
  | 'buildkite'
  | 'circleci'
  | 'terraform'
  | 'vercel'
  | 'fly'
  | 'bitbucket'

/** By name. A required claim holds an id that the platform never gives to another party, unlike most names. */
export const PRESETS: Readonly<Record<PresetName, Preset>> = {
  // A job can ask for a new token each time, so a token needs to be good only once.
  github: {
    at: 'https://token.actions.githubusercontent.com',
    single_use: true,
    required_claims: ['repository_id', 'repository_owner_id'],
  },
  gitlab: { at: 'https://gitlab.com', isOne: true, required_claims: ['project_id', 'namespace_id'] },
  kubernetes: {},
  spiffe: {
    signing_algs: ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512'],
  },
  google: { at: 'https://accounts.google.com', isOne: true },
  aws: { signing_algs: ['RS256', 'ES384'] },
  azure: {},
  buildkite: {
    at: 'https://agent.buildkite.com',
    isOne: true,
    single_use: true,
    required_claims: ['pipeline_id', 'organization_id'],
  },
  circleci: { at: 'https://oidc.circleci.com/org', required_claims: ['oidc.circleci.com/project-id'] },
  terraform: { at: 'https://app.terraform.io', isOne: true, required_claims: ['terraform_workspace_id'] },
  vercel: { at: 'https://oidc.vercel.com', required_claims: ['project_id', 'owner_id'] },
  fly: { at: 'https://oidc.fly.io', required_claims: ['app_id', 'org_id'] },
  bitbucket: { at: 'https://api.bitbucket.org', required_claims: ['repositoryUuid'] },
}

export const PRESET_NAMES = Object.keys(PRESETS) as readonly PresetName[]

/** Returns the preset that an issuer must have, undefined for issuers that belong to no known platform. */
export function presetOf(issuer: string): PresetName | undefined {
  if (issuer.startsWith('spiffe:')) return 'spiffe'
  return PRESET_NAMES.find((name) => {
    const { at } = PRESETS[name]
    return at !== undefined && (issuer === at || issuer.startsWith(`${at}/`))
  })
}

/** Returns the usual issuer of a platform, undefined where each customer has its own. */
export function usualIssuerOf(name: PresetName): string | undefined {
  const { at, isOne } = PRESETS[name]
  return isOne || name === 'github' ? at : undefined
}

/** Returns the claims that the preset of an issuer requires, undefined where the operator chooses them. */
export function requiredClaimsOf({
  issuer,
  preset,
}: Pick<TrustedIssuer, 'issuer' | 'preset'>): readonly string[] | undefined {
  const own = preset === undefined ? undefined : PRESETS[preset as PresetName].required_claims
  return own ?? (presetOf(issuer) && DEFAULTS.required_claims)
}

/** Returns an issuer with the members that it was given without. */
export function fillIssuer(given: GivenIssuer): TrustedIssuer {
  const preset = (given.preset as PresetName | undefined) ?? presetOf(given.issuer)
  const { at: _at, isOne: _one, ...filled }: Preset = preset === undefined ? {} : PRESETS[preset]
  const present = Object.entries(given).filter(([, value]) => value !== undefined)
  return { ...DEFAULTS, ...filled, ...(preset && { preset }), ...Object.fromEntries(present) } as TrustedIssuer
}
