/** The private key set of SIGNING_KEYS: reading it, generating keys, and the state of each key at an instant. */

import { exportJWK, generateKeyPair, importPKCS8 } from 'jose'
import * as v from 'valibot'
import { ALGORITHMS } from './algorithms.ts'
import { keySetProblem } from './key_set_problem.ts'
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
 * @throws TypeError when the text is neither; the message quotes no part of a key
 */
export async function readKeySet(text: string): Promise<readonly PrivateJwk[]> {
  if (text.trimStart().startsWith('-----BEGIN')) return [await readPem(text)]
  try {
    return v.parse(PrivateKeySet, JSON.parse(text)).keys as PrivateJwk[]
  } catch {
    // No `cause`: it would quote the setting.
    throw new TypeError(keySetProblem(text))
  }
}

async function readPem(pem: string): Promise<PrivateJwk> {
  for (const alg of ALGORITHMS.keys()) {
    const key = await importPKCS8(pem.trim(), alg, { extractable: true }).catch(() => undefined)
    if (key !== undefined) return exportJWK(key)
  }
  if (pem.includes('BEGIN PUBLIC KEY')) throw new TypeError('is a public key: it has no private part')
  throw new TypeError('is a PEM, but not a PKCS#8 private key ("BEGIN PRIVATE KEY") of a supported type')
}

/**
 * Generates a private key whose `kid` is its thumbprint, RFC 7638.
 *
 * @param signs_from epoch seconds from which the key signs; 0 for always
 */
export async function generateKey(alg: string, signs_from = 0): Promise<PrivateJwk> {
  const { privateKey } = await generateKeyPair(alg, { modulusLength: RSA_BITS, extractable: true })
  const jwk = { ...(await exportJWK(privateKey)), alg, use: 'sig' }
  const { kid } = await toSigningKey(jwk)
  return { ...jwk, kid, ...(signs_from > 0 && { signs_from }) }
}

/** State of a key at an instant. A retired key is still published, an expired one is not. */
export type KeyState = 'announced' | 'signing' | 'retired' | 'expired'

/** The properties that decide a key's state. Keys of the same `alg` succeed each other. */
export interface Placed {
  readonly alg: string
  readonly signsFrom: number
}

/**
 * Returns the state of a key within its set. Of the keys of one `alg`, the one that started last signs; if several started at
 * the same time, the first of them signs. Earlier keys are retired at that moment. The others that started at the same time as
 * the signing key stay published as long as no later key has started.
 *
 * @param now epoch seconds
 * @param retiredSeconds longest lifetime of a token of a retired key
 */
export function keyState(key: Placed, keys: readonly Placed[], now: number, retiredSeconds: number): KeyState {
  if (key.signsFrom > now) return 'announced'
  const started = keys.filter(({ alg, signsFrom }) => alg === key.alg && signsFrom <= now)
  const latest = Math.max(...started.map(({ signsFrom }) => signsFrom))
  if (started.find(({ signsFrom }) => signsFrom === latest) === key) return 'signing'
  const retiredAt = replacedAt(key, started)
  return retiredAt !== undefined && now > retiredAt + retiredSeconds ? 'expired' : 'retired'
}

/** Returns when the successor of a key starts, undefined when it has none. */
export function replacedAt(key: Placed, keys: readonly Placed[]): number | undefined {
  const later = keys.filter(({ alg, signsFrom }) => alg === key.alg && signsFrom > key.signsFrom)
  return later.length === 0 ? undefined : Math.min(...later.map(({ signsFrom }) => signsFrom))
}
