/** Client authentication by secret in the body. */

import type { ClientAuth } from '../features.ts'
import { secretVerifier, type VerifySecret } from '../secrets/verifier.ts'
import { presentSecret } from './present_secret.ts'

/** @see RFC 6749 §2.3.1 */
export function clientSecretPost(verify: VerifySecret = secretVerifier()): ClientAuth {
  return {
    method: 'client_secret_post',
    reads: 'secret',
    read({ form }) {
      const secret = form.get('client_secret')
      if (secret === null) return undefined
      return presentSecret(form.get('client_id') ?? '', secret, verify)
    },
  }
}
