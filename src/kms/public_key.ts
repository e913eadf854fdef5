/** Public keys as key management services give them. */

import { exportJWK, importSPKI, type JWK } from 'jose'

/**
 * Returns a public key in PEM as a JWK.
 *
 * @throws Error when the key is of another type than `alg` needs
 */
export async function jwkOfPem(pem: string, alg: string): Promise<JWK> {
  return { ...(await exportJWK(await importSPKI(pem, alg, { extractable: true }))), alg }
}

/** Returns a DER SubjectPublicKeyInfo, RFC 5280 §4.1.2.7, in base64 as PEM. */
export function pemOf(base64: string): string {
  return `-----BEGIN PUBLIC KEY-----\n${base64}\n-----END PUBLIC KEY-----`
}
