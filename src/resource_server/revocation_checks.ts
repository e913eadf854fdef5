/** The contract of what knows whether a token was revoked. */

import type { Issuer } from './issuer.ts'
import type { WaitUntil } from './refreshed.ts'
import type { GuardReason } from './refusals.ts'
import type { VerifiedToken } from './token.ts'

/** Returns why a token is refused, undefined for one that was not revoked. `jws` is the token as it was sent. */
export type CheckRevocation = (
  token: VerifiedToken,
  jws: string,
  waitUntil?: WaitUntil,
) => Promise<GuardReason | undefined>

/** Makes the check for an issuer: `revocationList()` or `introspection({ … })`. */
export type RevocationChecks = (issuer: Issuer) => CheckRevocation
