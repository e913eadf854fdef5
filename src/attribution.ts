/** Names the client, and the foreign token that it presents, in refusals, for the audit event. */

import { OAuthError } from './errors.ts'
import type { ForeignToken } from './features.ts'

/** Returns a copy of the error with this client: requests that share work also share the error that it throws. */
export function withClient(
  error: OAuthError,
  clientId: string,
  assertion: ForeignToken | undefined = error.assertion,
  audience: readonly string[] | undefined = error.audience,
): OAuthError {
  const { code, reason, message, status, headers, cause } = error
  return new OAuthError(code, reason, message, { status, headers, cause, clientId, assertion, audience })
}

/** Runs `work` and adds the client to any OAuthError that it throws. */
export async function attribute<T>(clientId: string, work: () => Promise<T>, assertion?: ForeignToken): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw attributed(error, clientId, assertion)
  }
}

/** Returns what was thrown, with the client and what else is known added to it if it is an OAuthError. */
export function attributed(
  error: unknown,
  clientId: string,
  assertion?: ForeignToken,
  audience?: readonly string[],
): unknown {
  return error instanceof OAuthError ? withClient(error, clientId, assertion, audience) : error
}

/** Returns the members of an audit event that name a foreign token. */
export function assertionMembers({ issuer, subject, id }: ForeignToken): {
  readonly assertion_iss: string
  readonly assertion_sub?: string
  readonly assertion_jti?: string
} {
  return {
    assertion_iss: issuer,
    ...(subject !== undefined && { assertion_sub: subject }),
    ...(id !== undefined && { assertion_jti: id }),
  }
}
