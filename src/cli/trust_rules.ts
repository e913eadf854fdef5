/** What a token of a platform must claim, by the options of `clients trust`. Nothing is looked up over the network. */

import * as v from 'valibot'
import { type PresetName, usualIssuerOf } from '../issuers/presets.ts'
import { problemOfRules, Rules } from '../issuers/rule_checks.ts'
import { readSpiffeId, trustDomainIssuer } from '../issuers/spiffe_id.ts'
import type { ClaimRule, ClaimRules, TrustedIssuer } from '../types.ts'
import { askText } from './ask.ts'
import { CliError } from './errors.ts'
import { shellWord } from './shell_word.ts'
import { type Platform, platformOf, type TrustOptions } from './trust_options.ts'

/** A credential to add. */
export interface Trusted {
  readonly issuer: string
  readonly preset?: PresetName
  readonly claims: ClaimRules
  readonly label?: string | undefined
  /** What the operator should know about the rules. */
  readonly notes: readonly string[]
}

/**
 * Events that run code of the repository. `pull_request_target` and `workflow_run` act on what strangers submit, with the rights
 * of the repository.
 */
const EVENTS = ['push', 'schedule', 'workflow_dispatch', 'repository_dispatch', 'release', 'deployment', 'merge_group']

const SERVICE_ACCOUNT = /^([a-z\d](?:[a-z\d-]*[a-z\d])?)\/([a-z\d](?:[a-z\d.-]*[a-z\d])?)$/

const MAX_LABEL_CHARACTERS = 100

/** Where the ids of platforms are found. */
const PLACES: Readonly<Record<string, string>> = {
  repository_id: '`gh api repos/OWNER/REPO --jq .id` prints it',
  repository_owner_id: '`gh api users/OWNER --jq .id` prints it',
  project_id: '`glab api projects/GROUP%2FPROJECT | jq .id` prints it',
}

/** Returns the credential that the options describe. @throws CliError `usage` if they describe none */
export async function trustedOf(options: TrustOptions): Promise<Trusted> {
  const platform = platformOf(options)
  const { claims: more = {}, label } = options
  const trusted = platform === undefined ? generic(options) : await RULES[platform](options)
  const twice = platform && Object.keys(more).find((name) => name in trusted.claims)
  if (twice !== undefined) throw new CliError('usage', `--claims and another option both set ${twice}`)
  const claims = { ...trusted.claims, ...more }
  const read = v.safeParse(Rules, claims)
  if (!read.success) throw new CliError('usage', `the rules cannot be used: claims ${read.issues[0].message}`)
  return { ...trusted, claims: read.output, label: label ?? trusted.label?.slice(0, MAX_LABEL_CHARACTERS) }
}

/** Refuses rules that other parties could fulfil. @throws CliError `usage` with what to add */
export function requirePinned({ claims }: Trusted, issuer: TrustedIssuer): void {
  const problem = problemOfRules(claims, issuer)
  if (problem === undefined) return
  const place = issuer.required_claims.flatMap((name) => PLACES[name] ?? []).slice(0, 1)
  throw new CliError('usage', [`the rules ${problem}`, ...place].join('. '))
}

function generic({ issuer, claims }: TrustOptions): Trusted {
  if (issuer === undefined)
    throw new CliError(
      'usage',
      'name what to trust: --github, --gitlab, --kubernetes, --spiffe, or --issuer and --claims',
    )
  if (claims === undefined)
    throw new CliError('usage', '--issuer needs --claims: what its tokens must claim, such as {"sub":"…"}')
  return { issuer, claims: {}, notes: [] }
}

const RULES: Readonly<Record<Platform, (options: TrustOptions) => Trusted | Promise<Trusted>>> = {
  github: githubRules,
  gitlab: gitlabRules,
  kubernetes: kubernetesRules,
  spiffe: spiffeRules,
}

async function githubRules(options: TrustOptions): Promise<Trusted> {
  const { github = '', repositoryOwnerId, environment, branch = [], tag = [], event = [], claims = {} } = options
  const [, owner = '', repository] = /^([\w.-]+)(?:\/([\w.-]+))?$/.exec(github) ?? []
  if (owner === '') throw new CliError('usage', `--github ${github} is not OWNER/REPO`)
  const id =
    repository === undefined
      ? options.repositoryId
      : await idOf(
          options.repositoryId,
          `repository_id of ${github}`,
          `gh api repos/${github} --jq .id`,
          '--repository-id',
        )
  const ownerId =
    repository === undefined
      ? await idOf(repositoryOwnerId, `id of ${github}`, `gh api users/${owner} --jq .id`, '--repository-owner-id')
      : repositoryOwnerId
  const refs = [...branch.map((name) => `refs/heads/${name}`), ...tag.map((name) => `refs/tags/${name}`)]
  const events = event.length === 0 ? EVENTS : event
  const rules = {
    ...(id !== undefined && { repository_id: id }),
    ...(ownerId !== undefined && { repository_owner_id: ownerId }),
    ...(environment !== undefined && { environment }),
    ...(refs.length > 0 && { ref: ruleOf(refs) }),
    ...(!events.includes('any') && !('event_name' in claims) && { event_name: ruleOf(events) }),
  }
  return {
    issuer: options.issuer ?? usualIssuerOf('github') ?? '',
    preset: 'github',
    claims: rules,
    label: [github, environment, ...branch, ...tag].filter(Boolean).join(' '),
    notes: [
      ...(id === undefined ? [`All repositories of the owner with the id ${ownerId} are trusted.`] : []),
      ...notesOf(options, 'workflow', 'repository'),
      ...(event.length > 0 || 'event_name' in claims
        ? []
        : ['Workflows that pull requests start are not trusted; --event NAME or --event any changes that.']),
    ],
  }
}

async function gitlabRules(options: TrustOptions): Promise<Trusted> {
  const { gitlab = '', environment, branch, tag, unprotected = false } = options
  if (!/^[\w.-]+(\/[\w.-]+)+$/.test(gitlab)) throw new CliError('usage', `--gitlab ${gitlab} is not GROUP/PROJECT`)
  if (branch !== undefined && tag !== undefined)
    throw new CliError('usage', '--branch and --tag cannot be combined: add one credential after the other')
  const command = `glab api projects/${encodeURIComponent(gitlab)} | jq .id`
  const id = await idOf(options.projectId, `project_id of ${gitlab}`, command, '--project-id')
  const refs = branch ?? tag
  return {
    issuer: options.issuer ?? usualIssuerOf('gitlab') ?? '',
    preset: 'gitlab',
    claims: {
      project_id: id,
      ...(environment !== undefined && { environment }),
      ...(refs !== undefined && { ref: ruleOf(refs), ref_type: branch === undefined ? 'tag' : 'branch' }),
      // A pipeline of a fork's merge request has no protected ref.
      ...(!unprotected && { ref_protected: 'true' }),
    },
    label: [gitlab, environment, ...(refs ?? [])].filter(Boolean).join(' '),
    notes: notesOf(options, 'job', 'project'),
  }
}

function kubernetesRules({ kubernetes = '', serviceAccount = '' }: TrustOptions): Trusted {
  const [, namespace, name] = SERVICE_ACCOUNT.exec(serviceAccount) ?? []
  if (name === undefined) throw new CliError('usage', '--kubernetes needs --service-account NAMESPACE/NAME')
  const claims = { sub: `system:serviceaccount:${namespace}:${name}` }
  return { issuer: kubernetes, preset: 'kubernetes', claims, label: serviceAccount, notes: [] }
}

function spiffeRules({ spiffe = '' }: TrustOptions): Trusted {
  const id = readSpiffeId(spiffe.replace(/\*+/g, 'x'))
  // A trust domain is named in full.
  if (id === undefined || !spiffe.toLowerCase().startsWith(`${trustDomainIssuer(id.trustDomain)}/`))
    throw new CliError('usage', `--spiffe ${spiffe} is not a SPIFFE ID such as spiffe://example.org/billing`)
  const issuer = trustDomainIssuer(id.trustDomain)
  const path = spiffe.slice(issuer.length)
  return { issuer, preset: 'spiffe', claims: { sub: ruleOf([issuer + path]) }, label: path.slice(1), notes: [] }
}

/** Returns an id, from the option or a prompt. @throws CliError `usage` that says why it is needed and where to find it */
async function idOf(given: string | undefined, name: string, command: string, flag: string): Promise<string> {
  const id = given ?? (await askText(`${name}, which \`${command}\` prints`))
  if (id === undefined)
    throw new CliError(
      'usage',
      `the ${name} is needed, because others can register the name again: add ${flag} NUMBER, which \`${command}\` prints`,
    )
  if (!/^\d{1,20}$/.test(id)) throw new CliError('usage', `the ${name} must be a number`)
  return id
}

/** Returns the rule for one of several values, of which a single one may have the form of a glob. */
function ruleOf(values: readonly string[]): ClaimRule {
  const [first = '', ...others] = values
  const glob = values.find((value) => value.includes('*'))
  if (others.length === 0) return glob === undefined ? first : { glob }
  if (glob === undefined) return values
  throw new CliError('usage', `${shellWord(glob)} cannot be combined with others: add one credential after the other`)
}

function notesOf({ environment, branch, tag }: TrustOptions, job: string, place: string): readonly string[] {
  const isNarrow = environment !== undefined || branch !== undefined || tag !== undefined
  return isNarrow ? [] : [`Every ${job} of the ${place} is trusted; --environment or --branch narrows that.`]
}
