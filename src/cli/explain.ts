/** `clients trust --explain`: says on this machine what the server would make of a token. The token is not sent. */

import process from 'node:process'
import * as v from 'valibot'
import { StoredCredentials } from '../clients/stored_credentials.ts'
import type { AssertionForm } from '../issuers/checks.ts'
import { type Comparison, type Explanation, explainToken } from '../issuers/explain.ts'
import { IssuerId } from '../issuers/registry.ts'
import { epochSeconds } from '../lib/clock.ts'
import type { FederatedCredential, TrustedIssuer } from '../types.ts'
import { accept, connect, type Send } from './api.ts'
import { clientPath } from './client_records.ts'
import { EXIT } from './errors.ts'
import { type Facts, whyRefused } from './explain_reasons.ts'
import { isWorkloadMethod, methodProblem } from './federated_credentials.ts'
import { type Members, malformed, type ServerOptions } from './http.ts'
import { findIssuer } from './issuer_records.ts'
import { print, printJson, printTable } from './output.ts'
import { readWorkloadToken } from './workload_token.ts'

/** What only the server can check. */
const NOT_CHECKED = ['signature', 'single_use'] as const

const MAX_VALUE_CHARACTERS = 200

/** Prints the explanation, and sets the exit code to 1 if the token would be refused. */
export async function explain(id: string, given: string, options: ServerOptions): Promise<void> {
  const token = await readWorkloadToken(given)
  const send = await connect(options)
  const facts = await readFacts(send, id, token)
  const { explanation, client } = facts
  const why = whyRefused(facts)
  const problem = clientProblem(id, client, explanation)
  const accepted = why === undefined && problem === undefined
  if (!accepted) process.exitCode = EXIT.refused
  if (options.json) printJson({ accepted, why, client_problem: problem, ...explanation, not_checked: NOT_CHECKED })
  else show(facts, why, problem)
}

/** Reads the records that the server would look at. Only issuers that the client names are asked for. */
async function readFacts(send: Send, id: string, token: string): Promise<Facts> {
  const { issuer: ownIssuer } = accept(await send('GET', '/.well-known/oauth-authorization-server'))
  if (typeof ownIssuer !== 'string') malformed('issuer is not a string')
  const client = accept(await send('GET', clientPath(id)))
  const read = v.safeParse(v.optional(StoredCredentials, []), client['federated_credentials'])
  if (!read.success) malformed('federated_credentials is not a list of credentials')
  const credentials = read.output
  const issuers: TrustedIssuer[] = []
  for (const issuer of new Set(credentials.map((each) => each.issuer))) {
    const record = v.is(IssuerId, issuer) ? await findIssuer(send, issuer) : undefined
    if (record !== undefined) issuers.push(record)
  }
  const now = epochSeconds()
  const form = formOf(client, credentials)
  const explanation = explainToken(token, { credentials, issuers, ownIssuer, form, use: 'client_authentication', now })
  return { id, token, client, credentials, issuers, ownIssuer, form, now, explanation }
}

function formOf(
  { token_endpoint_auth_method: method }: Members,
  credentials: readonly FederatedCredential[],
): AssertionForm {
  const isSpiffe = isWorkloadMethod(method)
    ? method === 'spiffe_jwt'
    : credentials.length > 0 && credentials.every(({ issuer }) => issuer.startsWith('spiffe:'))
  return isSpiffe ? 'jwt-spiffe' : 'jwt'
}

/** Returns why the client could not use even a good token. */
function clientProblem(id: string, client: Members, { issuer }: Explanation): string | undefined {
  if (client['disabled']) return `${id} is disabled.`
  return issuer === undefined ? undefined : methodProblem(id, client, issuer)
}

function show({ explanation, credentials }: Facts, why: string | undefined, problem: string | undefined): void {
  const { reason, credential, comparisons } = explanation
  const label = credentials.find(({ id }) => id === credential)?.label
  const named = label === undefined ? credential : `${credential}, ${label}`
  if (credential !== undefined) print(`The token matches the credential ${named}.`)
  if (why !== undefined) print(`It would be refused with ${reason}: ${why}`)
  if (problem !== undefined) print(problem)
  if (credential === undefined && comparisons.length > 0) {
    print('')
    printTable(['credential id', 'label', 'claim', 'must be', 'is'], comparisons.flatMap(rowsOf))
  }
  if (why === undefined)
    print('Not checked here: its signature, and whether it was used before. The token was not sent.')
}

function rowsOf({ id, label, mismatches, problem }: Comparison): readonly (readonly unknown[])[] {
  const rows = mismatches.map(({ claim, expected, found }) => [id, label, claim, valueText(expected), valueText(found)])
  return problem === undefined ? rows : [...rows, [id, label, '', `the rules ${problem}`, '']]
}

function valueText(value: unknown): string {
  const text = value === undefined ? '(absent)' : JSON.stringify(value)
  return text.length > MAX_VALUE_CHARACTERS ? `${text.slice(0, MAX_VALUE_CHARACTERS)}…` : text
}
