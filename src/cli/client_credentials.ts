/** What a client sends to prove who it is, for `edgemint clients test`. */

import { readFileSync } from 'node:fs'
import { importJWK, type JWK, SignJWT } from 'jose'
import { algorithmOf } from '../keys/algorithms.ts'
import { parseJson } from '../lib/json.ts'
import { CliError } from './errors.ts'
import { isObject } from './http.ts'

export interface Credentials {
  readonly headers?: Readonly<Record<string, string>>
  readonly form?: Readonly<Record<string, string>>
}

/** The methods that use a secret. */
export const SECRET_METHODS = ['client_secret_basic', 'client_secret_post'] as const

const ASSERTION_SECONDS = 60

/** Returns the credentials of a secret. @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1 RFC 6749 §2.3.1} */
export function secretCredentials(id: string, secret: string, method: (typeof SECRET_METHODS)[number]): Credentials {
  if (method === 'client_secret_post') return { form: { client_id: id, client_secret: secret } }
  const encoded = [id, secret].map((text) => new URLSearchParams({ '': text }).toString().slice(1))
  return { headers: { Authorization: `Basic ${btoa(encoded.join(':'))}` } }
}

/**
 * Returns an assertion, signed by the first key in a file.
 *
 * @throws CliError `usage` if the file contains no private JWK; the message quotes no part of it
 * @see {@link https://www.rfc-editor.org/rfc/rfc7523#section-2.2 RFC 7523 §2.2}
 */
export async function keyCredentials(id: string, file: string, audience: string): Promise<Credentials> {
  const { jwk, alg } = readPrivateJwk(file)
  const { kid } = jwk
  try {
    const key = await importJWK({ ...jwk, alg }, alg)
    const assertion = await new SignJWT({})
      .setProtectedHeader({ alg, ...(kid !== undefined && { kid }) })
      .setIssuer(id)
      .setSubject(id)
      .setAudience(audience)
      .setJti(crypto.randomUUID())
      .setIssuedAt()
      .setExpirationTime(`${ASSERTION_SECONDS}s`)
      .sign(key)
    return {
      form: {
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: assertion,
      },
    }
  } catch {
    throw new CliError('usage', `${file}: its key cannot sign with ${alg}`)
  }
}

function readPrivateJwk(file: string): { readonly jwk: JWK; readonly alg: string } {
  const value = parseJson(readText(file))
  const [jwk] = isObject(value) && Array.isArray(value['keys']) ? value['keys'] : [value]
  const alg = isObject(jwk) ? algorithmOf(jwk)?.alg : undefined
  if (alg === undefined || typeof jwk.d !== 'string')
    throw new CliError('usage', `${file} contains neither a private JWK nor a private JWK Set, {"keys":[…]}`)
  return { jwk, alg }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new CliError('usage', `${file}: ${error instanceof Error ? error.message : error}`)
  }
}
