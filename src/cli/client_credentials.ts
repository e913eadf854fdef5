/** What a client sends to prove who it is, for `edgemint clients test`. */

import { readFileSync } from 'node:fs'
import process from 'node:process'
import { importJWK, type JWK, SignJWT } from 'jose'
import { algorithmOf } from '../keys/algorithms.ts'
import { parseJson } from '../lib/json.ts'
import { readSecret } from './ask.ts'
import { CliError } from './errors.ts'
import { isWorkloadMethod } from './federated_credentials.ts'
import { isObject, type Members } from './http.ts'
import { usualMethod, workloadForm } from './workload_token.ts'

export interface Credentials {
  readonly headers?: Readonly<Record<string, string>>
  readonly form?: Readonly<Record<string, string>>
}

/** The methods that a client may be registered with. */
export const AUTH_METHODS = [
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
  'tls_client_auth',
  'self_signed_tls_client_auth',
  'federated_jwt',
  'spiffe_jwt',
] as const

export type AuthMethod = (typeof AUTH_METHODS)[number]

export interface CredentialOptions {
  readonly authMethod?: AuthMethod
  /** Name of a file with a private JWK. */
  readonly clientKey?: string
  /** Name of a PEM file. */
  readonly cert?: string
  readonly secretStdin?: boolean
  /** The token of its platform. */
  readonly token?: string | undefined
}

const ASSERTION_SECONDS = 60

/** Returns the method that the options name or imply, else that of the record, if there is one. */
export function authMethodOf(options: CredentialOptions, record: Members): AuthMethod {
  const { authMethod, clientKey, cert, secretStdin, token } = options
  if (authMethod !== undefined) return authMethod
  if (clientKey !== undefined) return 'private_key_jwt'
  const registered = AUTH_METHODS.find((method) => method === record['token_endpoint_auth_method'])
  if (token !== undefined) return isWorkloadMethod(registered) ? registered : usualMethod(token)
  if (registered !== undefined) return registered
  const hasSecret = secretStdin === true || Boolean(process.env['EDGEMINT_CLIENT_SECRET'])
  return cert !== undefined && !hasSecret ? 'tls_client_auth' : 'client_secret_basic'
}

/**
 * Returns a function that makes the credentials of one request. An assertion is accepted once, so each request has its own.
 *
 * @throws CliError `usage` if the method needs a file that is not given
 */
export async function openCredentials(
  id: string,
  audience: string,
  method: AuthMethod,
  options: CredentialOptions,
): Promise<() => Promise<Credentials>> {
  const { clientKey, cert, token } = options
  if (isWorkloadMethod(method)) {
    if (token === undefined) throw new CliError('usage', `${method} needs --token FILE`)
    return async () => ({ form: workloadForm(id, token, method) })
  }
  if (method === 'private_key_jwt') {
    if (clientKey === undefined) throw new CliError('usage', `${method} needs --client-key FILE`)
    return () => keyCredentials(id, clientKey, audience)
  }
  if (method === 'client_secret_basic' || method === 'client_secret_post') {
    const credentials = secretCredentials(id, await readSecret(options), method)
    return async () => credentials
  }
  if (cert === undefined) throw new CliError('usage', `${method} needs --cert FILE and --key FILE`)
  return async () => ({ form: { client_id: id } })
}

/** Returns the credentials of a secret. @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1 RFC 6749 §2.3.1} */
function secretCredentials(id: string, secret: string, method: AuthMethod): Credentials {
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
async function keyCredentials(id: string, file: string, audience: string): Promise<Credentials> {
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
