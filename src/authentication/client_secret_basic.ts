/** Client authentication with a secret in the `Authorization` header. */

import type { ClientAuth } from '../features.ts'
import { secretVerifier, type VerifySecret } from '../secrets/verifier.ts'
import { readBasic } from './basic.ts'
import { presentSecret } from './present_secret.ts'

/**
 * Returns the method `client_secret_basic`.
 *
 * @param verify by default a verifier with its own memory and CPU budget
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1 RFC 6749 §2.3.1}
 */
export function clientSecretBasic(verify: VerifySecret = secretVerifier()): ClientAuth {
  return {
    method: 'client_secret_basic',
    reads: 'header',
    read({ headers }) {
      const authorization = headers.get('Authorization')
      if (authorization === null) return undefined
      const { client_id, secret } = readBasic(authorization)
      return presentSecret(client_id, secret, verify)
    },
  }
}
