/** `edgemint clients trust` and `untrust`: the tokens of other issuers with which a client authenticates. */

import type { Command } from 'commander'
import { epochSeconds } from '../lib/clock.ts'
import { accept, connect, segment } from './api.ts'
import { requireYes } from './ask.ts'
import { clientPath } from './client_records.ts'
import { explain } from './explain.ts'
import { methodProblem } from './federated_credentials.ts'
import { type ServerOptions, withServer } from './http.ts'
import { requireIssuer } from './issuer_records.ts'
import { print, printJson, printMembers, warn } from './output.ts'
import { refuseNew, type TrustOptions, withTrust } from './trust_options.ts'
import { requirePinned, trustedOf } from './trust_rules.ts'

const TRUST = `Lets a client authenticate with tokens of a platform, without a secret.

Nothing is looked up at the platform. A rule pins an id, because others can
register a name again.

With --explain, nothing is added: it says which credential a token matches, or
which check fails. The token is compared on this machine and never sent. Give it
in a file or on standard input: other users of the machine can see arguments.`

export function addTrust(clients: Command): void {
  const add = (usage: string, description: string): Command =>
    withServer(clients.command(usage).description(description))
  withTrust(add('trust <id>', TRUST).summary('Lets a client authenticate with tokens of a platform.')).action(trust)
  add('untrust <id> <credential>', 'Removes a federated credential of a client, by its id.')
    .option('--yes', 'do not ask for confirmation')
    .action(untrust)
}

async function trust(id: string, options: TrustOptions): Promise<void> {
  if (options.explain !== undefined) {
    refuseNew(options)
    await explain(id, options.explain, options)
    return
  }
  const trusted = await trustedOf(options)
  const send = await connect(options)
  const client = accept(await send('GET', clientPath(id)))
  const issuer = await requireIssuer(send, trusted.issuer, trusted.preset)
  requirePinned(trusted, issuer)
  const credential = {
    label: trusted.label,
    issuer: trusted.issuer,
    claims: trusted.claims,
    expires_at: options.expires === undefined ? undefined : epochSeconds() + options.expires,
    access_token_lifetime: options.lifetime,
  }
  const added = accept(await send('POST', `${clientPath(id)}/federated_credentials`, credential))
  if (options.json) {
    printJson(added)
    return
  }
  printMembers(added)
  for (const note of trusted.notes) warn(note)
  if (issuer.disabled) warn(`The issuer ${issuer.issuer} is disabled, so its tokens are not accepted yet.`)
  const problem = methodProblem(id, client, trusted.issuer)
  if (problem !== undefined) warn(problem)
}

async function untrust(id: string, credential: string, options: ServerOptions & { yes?: boolean }): Promise<void> {
  const path = `${clientPath(id)}/federated_credentials/${segment(credential)}`
  await requireYes(`Remove the credential ${credential} of ${id}?`, options)
  const send = await connect(options)
  accept(await send('DELETE', path))
  if (options.json) printJson({ removed: credential })
  else print(`removed ${credential}`)
}
