/** A client_id and secret as presented credentials, for both methods of RFC 6749 §2.3.1. */

import { withClient } from '../attribution.ts'
import { isClientId } from '../clients/registry.ts'
import { invalidClient } from '../errors.ts'
import type { Presented } from '../features.ts'
import { isIntact, looksGenerated } from '../secrets/generated.ts'
import type { VerifySecret } from '../secrets/verifier.ts'

/**
 * Returns the presented credentials.
 *
 * @throws OAuthError `invalid_client` for a generated secret that is mistyped or truncated, before any look-up
 */
export function presentSecret(client_id: string, secret: string, verify: VerifySecret): Presented {
  if (looksGenerated(secret) && !isIntact(secret)) {
    const error = invalidClient('secret_mistyped')
    throw isClientId(client_id) ? withClient(error, client_id) : error
  }
  return {
    client_id,
    ...(secret === '' && { isNameOnly: true }),
    verify: (client, { now }) => verify(client, secret, now),
  }
}
