/** The token that a platform gave to a workload: of a file, of standard input, or itself. Messages never quote it. */

import { readFileSync } from 'node:fs'
import process from 'node:process'
import { text } from 'node:stream/consumers'
import { readAssertion } from '../assertions/assertion.ts'
import { CliError } from './errors.ts'
import type { WorkloadMethod } from './federated_credentials.ts'
import { STDIN } from './input_file.ts'

const ASSERTION_TYPES: Readonly<Record<WorkloadMethod, string>> = {
  federated_jwt: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  spiffe_jwt: 'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe',
}

/** How every compact JWS begins: `{"` in base64url. */
const JWS = /^eyJ[\w-]*\./

/**
 * Returns a token.
 *
 * @param given name of a file, `-` for standard input, or a token
 * @throws CliError `usage` if there is none; the message quotes nothing, because it could be the token
 */
export async function readWorkloadToken(given: string): Promise<string> {
  const token = JWS.test(given) ? given : await readFile(given)
  const trimmed = token.trim()
  if (trimmed === '') throw new CliError('usage', 'there is no token: the file or standard input is empty')
  return trimmed
}

async function readFile(file: string): Promise<string> {
  try {
    return file === STDIN ? await text(process.stdin) : readFileSync(file, 'utf8')
  } catch (error) {
    const { code = 'unreadable' } = error as NodeJS.ErrnoException
    throw new CliError('usage', `the token is neither a JWT nor in a file that can be read (${code})`)
  }
}

/** Returns the method by which a token is usually presented: a JWT-SVID by `spiffe_jwt`. */
export function usualMethod(token: string): WorkloadMethod {
  const { sub } = readAssertion(token)?.claims ?? {}
  return String(sub).startsWith('spiffe:') ? 'spiffe_jwt' : 'federated_jwt'
}

/**
 * Returns the form of a request in which a client presents the token of its platform.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7521#section-4.2 RFC 7521 §4.2}
 */
export function workloadForm(
  client_id: string,
  token: string,
  method: WorkloadMethod,
): Readonly<Record<string, string>> {
  return { client_id, client_assertion_type: ASSERTION_TYPES[method], client_assertion: token }
}
