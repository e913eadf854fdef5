/** Searches what a store holds for the private keys that it holds encrypted. */

import assert from 'node:assert/strict'
import { readKeyEncryptionKeys, unwrapPrivateKey } from '../../src/keys/key_encryption.ts'
import { parseKeySet } from '../../src/keys/stored_set.ts'

/**
 * Returns where a dump shows a private key of the record: the octets of its PKCS#8 or of the JWK member `d`, raw, in base64, base64url or
 * hexadecimal.
 */
export async function findLeaks(dump: Buffer, record: string, issuer: string, keks: string): Promise<string[]> {
  const keys = parseKeySet(record, issuer)
  assert.ok(keys.length > 0 && dump.includes(keys[0]?.kid ?? '?'), 'the dump holds the record')
  const found: string[] = dump.includes('"d":') ? ['the member d'] : []
  for (const { kid, alg, private: wrapped } of keys) {
    if (wrapped === undefined) continue
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
    const ring = await readKeyEncryptionKeys(keks)
    const key = await unwrapPrivateKey(wrapped, { issuer, kid, alg }, ring, algorithm, true)
    assert.ok(key, 'the key-encryption key is right')
    const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', key))
    const { d = '' } = (await crypto.subtle.exportKey('jwk', key)) as { d?: string }
    for (const [name, octets] of [
      ['PKCS#8', pkcs8],
      ['d', Buffer.from(d, 'base64url')],
    ] as const) {
      if (dump.includes(octets)) found.push(`${kid}: ${name}, raw`)
      for (const encoding of ['base64', 'base64url', 'hex'] as const) {
        // Without the last characters, which depend on what follows.
        const text = octets.toString(encoding).slice(0, -4)
        if (dump.includes(text) || dump.includes(text.toUpperCase())) found.push(`${kid}: ${name}, ${encoding}`)
      }
    }
  }
  return found
}
