/** Credentials for key management services, under the names that their own tools use. */

import * as v from 'valibot'
import { isLoopback } from '../lib/loopback.ts'
import type { ServiceKey } from './key_url.ts'

/** Names of the environment variables. */
export type CredentialName =
  | 'VAULT_TOKEN'
  | 'VAULT_NAMESPACE'
  | 'AWS_ACCESS_KEY_ID'
  | 'AWS_SECRET_ACCESS_KEY'
  | 'AWS_SESSION_TOKEN'
  | 'AWS_ENDPOINT_URL_KMS'

/** What fits in a header. The fetch of some runtimes quotes a value that does not fit in its error. */
const Visible = v.optional(v.pipe(v.string(), v.regex(/^[!-~]{1,4096}$/, 'must be printable ASCII without spaces')))

const Variables = v.object({
  VAULT_TOKEN: Visible,
  VAULT_NAMESPACE: Visible,
  AWS_ACCESS_KEY_ID: Visible,
  AWS_SECRET_ACCESS_KEY: Visible,
  AWS_SESSION_TOKEN: Visible,
  AWS_ENDPOINT_URL_KMS: v.optional(
    v.pipe(v.string(), v.check(isEndpoint, 'must be an https URL (http only on a loopback host) without a path')),
  ),
} satisfies Record<CredentialName, v.GenericSchema<string | undefined>>)

/** The variables that are set. */
export type Credentials = Readonly<Partial<Record<CredentialName, string | undefined>>>

/** A variable that is missing or malformed. The text quotes no part of it. */
export interface CredentialProblem {
  readonly setting: CredentialName
  readonly problem: string
}

const names = Object.keys(Variables.entries) as CredentialName[]

/**
 * Reads the credentials that the keys need; those that no key needs are ignored, since they may be meant for another program.
 *
 * @returns the credentials, or a problem for each one that is missing or malformed
 */
export function readCredentials(
  keys: readonly ServiceKey[],
  environment: Readonly<Record<string, unknown>>,
): Credentials | readonly CredentialProblem[] {
  const prefixes = keys.map(({ service }) => (service === 'vault' ? 'VAULT_' : 'AWS_'))
  const used = names.filter((name) => prefixes.some((prefix) => name.startsWith(prefix)))
  const given = Object.fromEntries(used.flatMap((name) => (environment[name] ? [[name, environment[name]]] : [])))
  const read = v.safeParse(Variables, given)
  if (!read.success)
    return read.issues.map((issue) => ({ setting: v.getDotPath(issue) as CredentialName, problem: issue.message }))
  const missing = [...new Set(keys.flatMap(needsOf))].filter((name) => given[name] === undefined)
  return missing.length > 0 ? missing.map((setting) => ({ setting, problem: 'is missing' })) : read.output
}

/** A proxy of Vault on this machine may add a token of its own. */
function needsOf(key: ServiceKey): readonly CredentialName[] {
  if (key.service === 'awskms') return ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']
  return key.origin.startsWith('http:') ? [] : ['VAULT_TOKEN']
}

function isEndpoint(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, origin } = new URL(text)
  const isSecure = protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname))
  return isSecure && (text === origin || text === `${origin}/`)
}
