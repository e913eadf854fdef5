/** Client authentication by a certificate that the client made itself and registered. */

import type { RemoteKeys } from '../assertions/remote_keys.ts'
import type { FindKeys } from '../assertions/verify.ts'
import { thumbprintOf } from '../certificates/certificate.ts'
import type { CertificateReason } from '../reasons.ts'
import type { Client, ClientAuth, ClientCertificate, Jwk } from '../types.ts'
import { keysOf } from './client_keys.ts'

/** @see RFC 8705 §2.2 */
export function selfSignedTlsClientAuth(remoteKeys: RemoteKeys): ClientAuth {
  return {
    method: 'self_signed_tls_client_auth',
    isOfConnection: true,
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

/** The certificate of a key: its `x5t#S256`, else the first of its `x5c`, RFC 7517 §4.7 and §4.9. */
async function thumbprintOfKey({ x5c, ...key }: Jwk): Promise<unknown> {
  if (key['x5t#S256'] !== undefined) return key['x5t#S256']
  const [certificate] = Array.isArray(x5c) ? x5c : []
  return typeof certificate === 'string' ? thumbprintOf(decodeBase64(certificate)) : undefined
}

/** What is no base64 is no certificate either, and the octets of none. */
function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  const isBase64 = text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text)
  return Uint8Array.from(isBase64 ? atob(text) : '', (character) => character.charCodeAt(0))
}
