/** Client authentication with a self-signed certificate that the client has registered. */

import type { RemoteKeys } from '../assertions/remote_keys.ts'
import type { FindKeys } from '../assertions/verify.ts'
import { thumbprintOfKey } from '../certificates/jwk_certificate.ts'
import type { ClientAuth } from '../features.ts'
import type { CertificateReason } from '../reasons.ts'
import type { Client, ClientCertificate, Jwk } from '../types.ts'
import { keysOf } from './client_keys.ts'

/**
 * Returns the method `self_signed_tls_client_auth`.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8705#section-2.2 RFC 8705 §2.2}
 */
export function selfSignedTlsClientAuth(remoteKeys: RemoteKeys): ClientAuth {
  return {
    method: 'self_signed_tls_client_auth',
    reads: 'connection',
    read({ form, certificate }) {
      return {
        client_id: form.get('client_id') ?? '',
        verify: (client, { now }) => check(client, certificate, now, remoteKeys),
      }
    },
  }
}

async function check(
  client: Client,
  certificate: ClientCertificate | undefined,
  now: number,
  remoteKeys: RemoteKeys,
): Promise<CertificateReason | 'keys_missing' | undefined> {
  if (certificate === undefined) return 'certificate_missing'
  if (!(certificate.notBefore <= now && now <= certificate.notAfter)) return 'certificate_not_current'
  const findKeys = keysOf(client, remoteKeys)
  if (findKeys === undefined) return 'keys_missing'
  const isRegistered = await isAmong(certificate, findKeys)
  return isRegistered ? undefined : 'certificate_unexpected'
}

async function isAmong({ thumbprint }: ClientCertificate, findKeys: FindKeys): Promise<boolean> {
  const isHere = async (keys: readonly Jwk[]): Promise<boolean> =>
    (await Promise.all(keys.map(thumbprintOfKey))).includes(thumbprint)
  return (await isHere(await findKeys())) || (await isHere(await findKeys({ refresh: true })))
}
