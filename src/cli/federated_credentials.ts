/** Prints the federated credentials of clients. */

import type { Members } from './http.ts'
import { instant, printTable } from './output.ts'
import { commandLine } from './shell_word.ts'

/** The methods that use federated credentials. */
const WORKLOAD_METHODS = ['federated_jwt', 'spiffe_jwt'] as const

export type WorkloadMethod = (typeof WORKLOAD_METHODS)[number]

/** Returns whether a method uses federated credentials. */
export function isWorkloadMethod(method: unknown): method is WorkloadMethod {
  return WORKLOAD_METHODS.some((each) => each === method)
}

/** Returns the method with which a client presents tokens of an issuer. */
export function workloadMethodOf(issuer: string): WorkloadMethod {
  return issuer.startsWith('spiffe:') ? 'spiffe_jwt' : 'federated_jwt'
}

/** Returns what the operator must change before a client can use tokens of an issuer, or undefined. */
export function methodProblem(id: string, client: Members, issuer: string): string | undefined {
  const { token_endpoint_auth_method: method = 'client_secret_basic' } = client
  const needed = workloadMethodOf(issuer)
  if (method === needed) return undefined
  const command = commandLine('clients', 'update', id, '--auth-method', needed)
  return `${id} authenticates by ${method}, and tokens of this issuer need ${needed}. Change it: ${command}`
}

/** Prints the credentials of a client as a table. */
export function printCredentials(credentials: readonly Members[]): void {
  if (credentials.length === 0) return
  printTable(
    ['credential id', 'label', 'issuer', 'claims', 'expires'],
    credentials.map(({ id, label, issuer, claims, expires_at = 0 }) => [
      id,
      label,
      issuer,
      claims,
      instant(expires_at),
    ]),
  )
}
