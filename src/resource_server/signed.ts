/** JWTs that the issuer signs: access tokens, the list of revocations, answers of introspection. */

import { decodeBase64url } from '../lib/base64url.ts'
import type { Issuer } from './issuer.ts'
import type { WaitUntil } from './refreshed.ts'
import type { GuardReason } from './refusals.ts'

type Members = Readonly<Record<string, unknown>>

/** Keys that are tried for a JWT without `kid`. */
const MAX_TRIES = 4

/** Longer headers are read again each time. */
const MAX_HELD_CHARACTERS = 512

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Returns the JSON object that a part of a JWT encodes. @throws TypeError or SyntaxError when it encodes none */
function readObject(part: string): Members {
  const value: unknown = JSON.parse(decoder.decode(decodeBase64url(part)))
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError('not an object')
  return value as Members
}

function readPart(part: string | undefined): Members | undefined {
  try {
    return part === undefined ? undefined : readObject(part)
  } catch {
    return undefined
  }
}

/** Returns the JOSE header that the first part of a JWT encodes; undefined when it encodes no object. */
export function readHeader(part: string | undefined, { headers }: Issuer): Members | undefined {
  if (part === undefined || part.length > MAX_HELD_CHARACTERS) return readPart(part)
  const header = headers.get(part) ?? readPart(part)
  if (header !== undefined) headers.set(part, header)
  return header
}

/** How a JWT must look, before its signature is verified. */
export interface Expected {
  /** Accepted values of `typ`, in lower case. */
  readonly types: readonly string[]
  readonly maxCharacters: number
}

/**
 * Returns the claims of a JWT that the issuer signed, or why it is not one.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8725#section-3 RFC 8725 §3}
 */
export async function verifySigned(
  jws: string,
  { types, maxCharacters }: Expected,
  issuer: Issuer,
  waitUntil?: WaitUntil,
): Promise<Members | GuardReason> {
  const [head, payload, signature, ...more] = jws.length <= maxCharacters ? jws.split('.') : []
  const header = readHeader(head, issuer)
  if (header === undefined || !payload || !signature || more.length > 0) return 'token_malformed'
  const { typ, alg, kid } = header
  if (typeof typ !== 'string' || !types.includes(typ.toLowerCase())) return 'token_typ_wrong'
  if ('crit' in header || 'b64' in header) return 'token_crit'
  if (typeof alg !== 'string' || !issuer.algorithms.includes(alg)) return 'token_alg_not_allowed'
  if (kid !== undefined && typeof kid !== 'string') return 'token_malformed'
  const keys = await issuer.findKeys(alg, kid, waitUntil)
  if (keys === undefined) return 'keys_unavailable'
  if (keys.length === 0) return 'token_key_unknown'
  for (const verify of keys.slice(0, MAX_TRIES)) if (await verify(jws)) return readPart(payload) ?? 'token_malformed'
  return 'token_signature_wrong'
}
