/** Client authentication with a secret in the request body. */

import type { ClientAuth } from '../features.ts'
import { secretVerifier, type VerifySecret } from '../secrets/verifier.ts'
import { presentSecret } from './present_secret.ts'

/**
 * Returns the method `client_secret_post`.
 *
 * @param verify by default a verifier with its own memory and CPU budget
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1 RFC 6749 §2.3.1}
 */
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
