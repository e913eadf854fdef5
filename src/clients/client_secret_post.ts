/** Client authentication by secret in the body. */

import type { ClientAuth } from '../types.ts'
import { verifySecret } from './secrets.ts'

/** @see RFC 6749 §2.3.1 */
export function clientSecretPost(): ClientAuth {
  return {
    method: 'client_secret_post',
    read({ form }) {
      const secret = form.get('client_secret')
      if (secret === null) return undefined
      return { client_id: form.get('client_id') ?? '', verify: (client, { now }) => verifySecret(client, secret, now) }
    },
  }
}
