/** Why a text is no private key set. Each usual mistake has its own message; none quotes the text. */

import * as v from 'valibot'
import { parseJson } from '../lib/json.ts'

const FILE_NAME = /^\s*(?:[\w.~/\\:-]+\.(?:json|jwks?|pem|key|txt)|(?:~|\.{0,2})\/[\w.~/-]{1,255})\s*$/i

const Jwk = v.looseObject({ kty: v.string() })

const JwkSet = v.object({ keys: v.array(v.unknown()) })

/** Returns the end of a sentence that begins with the name of the setting or of the file. */
export function keySetProblem(text: string): string {
  const value = parseJson(text)
  if (value === undefined && FILE_NAME.test(text))
    return 'is a file name instead of the content of the file; use "$(cat FILE)"'
  if (isPublic(value)) return 'is a public key: it has no private part, "d"'
  if (v.is(Jwk, value)) return 'is a single key; wrap it as {"keys":[…]}'
  if (Array.isArray(value) && value.some((key) => v.is(Jwk, key))) return 'is a list of keys; wrap it as {"keys":[…]}'
  if (v.is(JwkSet, value) && value.keys.some(isPublic)) return 'holds a public key: it has no private part, "d"'
  if (v.is(JwkSet, value) && value.keys.length === 0) return 'holds no key'
  const notJson = value === undefined && text.trim() !== '' ? ' (it is not JSON)' : ''
  return `is neither a private JWK Set, {"keys":[…]}, nor a PKCS#8 PEM${notJson}`
}

function isPublic(value: unknown): boolean {
  return v.is(Jwk, value) && value['d'] === undefined
}
