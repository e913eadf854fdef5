/** The private key set of SIGNING_KEYS as text and as data; each key's place in time. */

import { exportJWK, generateKeyPair, importPKCS8 } from 'jose'
import * as v from 'valibot'
import { ALGORITHMS } from './algorithms.ts'
import { type PrivateJwk, toSigningKey } from './signing_key.ts'

const RSA_BITS = 2048

const Base64url = v.pipe(v.string(), v.regex(/^[\w-]+$/))

const PrivateKey = v.looseObject({
  kty: v.string(),
  d: Base64url,
  ...v.entriesFromList(['n', 'e', 'x', 'y'], v.optional(Base64url)),
  ...v.entriesFromList(['crv', 'alg', 'use'], v.optional(v.string())),
  kid: v.optional(v.pipe(v.string(), v.nonEmpty())),
  key_ops: v.optional(v.array(v.string())),
  signs_from: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
})

const PrivateKeySet = v.object({
  keys: v.pipe(v.array(PrivateKey), v.minLength(1)),
})

/**
 * Reads a private JWK Set or one PKCS#8 PEM.
 *
 * @throws TypeError whose message says what is wrong and quotes nothing of the keys
 */
export async function readKeySet(text: string): Promise<readonly PrivateJwk[]> {
  if (text.trimStart().startsWith('-----BEGIN')) return [await readPem(text)]
  try {
    return v.parse(PrivateKeySet, JSON.parse(text)).keys as PrivateJwk[]
  } catch {
    // The cause would quote the setting.
    throw new TypeError('is neither a private JWK Set, {"keys":[…]}, nor a PKCS#8 PEM')
  }
}

async function readPem(pem: string): Promise<PrivateJwk> {
  for (const alg of ALGORITHMS.keys()) {
    const key = await importPKCS8(pem.trim(), alg, { extractable: true }).catch(() => undefined)
    if (key !== undefined) return exportJWK(key)
  }
  throw new TypeError('is a PEM, but no PKCS#8 private key ("BEGIN PRIVATE KEY") of a supported kind')
}

/** Makes a new private key with its thumbprint as `kid`. */
export async function generateKey(alg: string, signs_from = 0): Promise<PrivateJwk> {
  const { privateKey } = await generateKeyPair(alg, { modulusLength: RSA_BITS, extractable: true })
  const jwk = { ...(await exportJWK(privateKey)), alg, use: 'sig' }
  const { kid } = await toSigningKey(jwk)
  return { ...jwk, kid, ...(signs_from > 0 && { signs_from }) }
}

/** Where a key stands. `retired` is published still, `expired` no more. */
export type KeyState = 'announced' | 'signing' | 'retired' | 'expired'

/** What tells a key's place: those of one `alg` follow each other. */
export interface Placed {
  readonly alg: string
  readonly signsFrom: number
}

/**
 * Tells where each key of a set stands. Of the keys of one `alg` the one whose time came last signs, the first of them when
 * several came at the same time; the ones before it are retired from then on, those that have no time beside it are published for ever.
 *
 * @param retiredSeconds how long the last token of a retired key may live
 */
export function keyState(key: Placed, keys: readonly Placed[], now: number, retiredSeconds: number): KeyState {
  if (key.signsFrom > now) return 'announced'
  const begun = keys.filter(({ alg, signsFrom }) => alg === key.alg && signsFrom <= now)
  const latest = Math.max(...begun.map(({ signsFrom }) => signsFrom))
  if (begun.find(({ signsFrom }) => signsFrom === latest) === key) return 'signing'
  const retiredAt = Math.min(...begun.map(({ signsFrom }) => signsFrom).filter((at) => at > key.signsFrom))
  return now > retiredAt + retiredSeconds && retiredAt !== Number.POSITIVE_INFINITY ? 'expired' : 'retired'
}
