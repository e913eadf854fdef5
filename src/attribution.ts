/** Names the client in refusals, for the audit event. */

import { OAuthError } from './errors.ts'

/** Returns a copy of the error with this client: requests that share work also share the error that it throws. */
export function withClient(error: OAuthError, clientId: string): OAuthError {
  const { code, reason, message, status, headers, cause } = error
  return new OAuthError(code, reason, message, { status, headers, cause, clientId })
}

/** Runs `work` and adds the client to any OAuthError that it throws. */
export async function attribute<T>(clientId: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw attributed(error, clientId)
  }
}

/** Returns what was thrown, with the client added to it if it is an OAuthError. */
export function attributed(error: unknown, clientId: string): unknown {
  return error instanceof OAuthError ? withClient(error, clientId) : error
}
