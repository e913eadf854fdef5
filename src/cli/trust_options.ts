/** The options of `clients trust`, and which of them belong together. */

import { type Command, InvalidArgumentError, Option } from 'commander'
import { duration, jsonObject, nonEmpty, repeated, wholeNumber } from './arguments.ts'
import { CliError } from './errors.ts'
import type { ServerOptions } from './http.ts'

/** What is known about the tokens of a platform. */
export const PLATFORMS = ['github', 'gitlab', 'kubernetes', 'spiffe'] as const

export type Platform = (typeof PLATFORMS)[number]

/** The options as commander returns them. */
export interface TrustOptions extends ServerOptions {
  readonly github?: string
  readonly repositoryId?: string
  readonly repositoryOwnerId?: string
  readonly event?: string[]
  readonly gitlab?: string
  readonly projectId?: string
  readonly unprotected?: boolean
  readonly environment?: string
  readonly branch?: string[]
  readonly tag?: string[]
  readonly kubernetes?: string
  readonly serviceAccount?: string
  readonly spiffe?: string
  readonly issuer?: string
  readonly claims?: Record<string, unknown>
  readonly label?: string
  /** Seconds from now. */
  readonly expires?: number
  readonly lifetime?: number
  /** A token, or the name of a file with one. */
  readonly explain?: string
}

/** Options that some platforms have. */
const OWN: Readonly<Partial<Record<keyof TrustOptions, readonly Platform[]>>> = {
  repositoryId: ['github'],
  repositoryOwnerId: ['github'],
  event: ['github'],
  projectId: ['gitlab'],
  unprotected: ['gitlab'],
  environment: ['github', 'gitlab'],
  branch: ['github', 'gitlab'],
  tag: ['github', 'gitlab'],
  serviceAccount: ['kubernetes'],
}

/** Options of a new credential, which have no meaning for an explanation. */
const NEW: readonly (keyof TrustOptions)[] = [...PLATFORMS, 'issuer', 'claims', 'label', 'expires', 'lifetime']

export function withTrust(command: Command): Command {
  return command
    .option('--github <owner/repo>', 'trust workflows of a repository of GitHub', nonEmpty)
    .option('--repository-id <number>', 'its id, which no other repository can get; prompted for', numericId)
    .option('--repository-owner-id <number>', 'the id of its owner; enough for --github OWNER', numericId)
    .option('--event <name>', 'event that may start the workflow, or any; repeatable', words)
    .option('--gitlab <group/project>', 'trust jobs of a project of GitLab', nonEmpty)
    .option('--project-id <number>', 'its id, which no other project can get; prompted for', numericId)
    .option('--unprotected', 'also trust jobs of branches and tags that are not protected')
    .option('--environment <name>', 'only jobs of this environment, of GitHub or GitLab', nonEmpty)
    .option('--branch <name>', 'only jobs of this branch, such as main or release-*; repeatable', words)
    .option('--tag <name>', 'only jobs of this tag, such as v-*; repeatable', words)
    .option('--kubernetes <issuer>', 'trust pods of a cluster', nonEmpty)
    .option('--service-account <namespace/name>', 'their service account', nonEmpty)
    .option('--spiffe <id>', 'trust a workload by its SPIFFE ID, or several: spiffe://example.org/ns/ci/**', nonEmpty)
    .option('--issuer <issuer>', 'another issuer than the usual one of the platform, or of any platform', nonEmpty)
    .option('--claims <json>', 'what its tokens must claim; with a platform, what else', jsonObject)
    .option('--label <text>', 'what people call it', nonEmpty)
    .option('--expires <duration>', 'trust it for this time only, such as 90d', duration)
    .option('--lifetime <seconds>', 'longest lifetime of access tokens that it is used for', wholeNumber)
    .addOption(
      new Option(
        '--explain <file>',
        'add nothing; say what the server would make of a token: of a file, of standard input for -, or itself',
      ).argParser(nonEmpty),
    )
}

/** Ids of GitHub and GitLab are numbers, and strings in their tokens. */
function numericId(text: string): string {
  if (!/^\d{1,20}$/.test(text)) throw new InvalidArgumentError('It must be a number.')
  return text
}

function words(value: string, before?: string[]): string[] {
  return repeated(nonEmpty(value), before)
}

/** Returns the flag of an option. */
function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

/**
 * Returns the platform that is named, undefined if there is none.
 *
 * @throws CliError `usage` for options that do not belong together
 */
export function platformOf(options: TrustOptions): Platform | undefined {
  const [platform, another] = PLATFORMS.filter((name) => options[name] !== undefined)
  if (another !== undefined)
    throw new CliError('usage', `--${platform} and --${another} cannot be combined: add one credential after the other`)
  for (const [name, platforms] of Object.entries(OWN)) {
    const isMisplaced = options[name as keyof TrustOptions] !== undefined && !platforms.includes(platform ?? 'spiffe')
    if (isMisplaced) throw new CliError('usage', `${flagOf(name)} is for ${platforms.map(flagOf).join(' and ')} only`)
  }
  const isFixed = platform === 'kubernetes' || platform === 'spiffe'
  if (isFixed && options.issuer !== undefined)
    throw new CliError('usage', `--issuer cannot be combined with --${platform}, which names the issuer`)
  return platform
}

/** Refuses options of a new credential. @throws CliError `usage` */
export function refuseNew(options: TrustOptions): void {
  const given = [...NEW, ...(Object.keys(OWN) as (keyof TrustOptions)[])].find((name) => options[name] !== undefined)
  if (given !== undefined)
    throw new CliError('usage', `--explain adds nothing, so it cannot be combined with ${flagOf(given)}`)
}
