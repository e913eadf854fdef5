/** Answers of the token endpoint, and why there is no token. */

import { readBytes } from '../lib/read_bytes.ts'

const MAX_BYTES = 64 * 1024

/** What an Authorization header can hold, RFC 6750 §2.1. An error of `Headers` would show the token. */
const TOKEN = /^[\w.~+/-]+=*$/

const MAX_TEXT_CHARACTERS = 500

/** A longer `Retry-After`, of whatever answers for the server, does not keep a client from asking. */
export const MAX_RETRY_SECONDS = 600

/** An access token as a client keeps it. */
export interface IssuedToken {
  readonly accessToken: string
  readonly tokenType: 'Bearer' | 'DPoP'
  /** Granted scopes, separated by spaces. */
  readonly scope: string
  /** Epoch seconds. */
  readonly issuedAt: number
  readonly expiresAt: number
}

/** The server has not issued a token. */
export class TokenError extends Error {
  override readonly name = 'TokenError'
  /** `error` of RFC 6749 §5.2, if the server sent one. */
  readonly code: string | undefined
  readonly status: number
  /** Seconds after which the server may be asked again. */
  readonly retryAfterSeconds: number | undefined

  constructor(status: number, code: string | undefined, description: string, retryAfterSeconds: number | undefined) {
    super(`${code ?? `status ${status}`}: ${description}`)
    this.status = status
    this.code = code
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** Returns the JSON object of a small answer; an empty one for any other body. */
export async function readJsonObject(response: Response): Promise<Readonly<Record<string, unknown>>> {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(await readBytes(response, MAX_BYTES)))
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
  } catch {
    return {}
  }
}

/** Returns a text of a server that may be written to a log, RFC 6749 §5.2; undefined for any other value. */
function textOf(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  return value.slice(0, MAX_TEXT_CHARACTERS).replace(/[^\x20-\x7e]/g, '?')
}

/**
 * Returns the token of an answer.
 *
 * @param options `tokenType` is the only type that is accepted: a client with DPoP must not go on with a token that is not bound
 * @throws TokenError when there is none
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-5.1 RFC 6749 §5.1}, {@link https://www.rfc-editor.org/rfc/rfc9449#section-5 RFC 9449 §5}
 */
export function readAnswer(
  { status, headers }: Response,
  body: Readonly<Record<string, unknown>>,
  { tokenType, now }: { readonly tokenType: IssuedToken['tokenType']; readonly now: number },
): IssuedToken {
  const { access_token, token_type, expires_in, scope } = body
  const isToken = status === 200 && typeof access_token === 'string' && TOKEN.test(access_token)
  const isOfType = typeof token_type === 'string' && token_type.toLowerCase() === tokenType.toLowerCase()
  const isInstant = typeof expires_in === 'number' && Number.isFinite(expires_in)
  if (!isToken || !isOfType || !isInstant) {
    const description = textOf(body['error_description']) ?? `no ${tokenType} token with a lifetime was issued`
    throw new TokenError(status, textOf(body['error']), description, retryAfterOf(headers, now))
  }
  return {
    accessToken: access_token,
    tokenType,
    scope: typeof scope === 'string' ? scope : '',
    issuedAt: now,
    expiresAt: now + expires_in,
  }
}

/** Returns the seconds of a `Retry-After`, RFC 9110 §10.2.3, whichever form it has. */
function retryAfterOf(headers: Headers, now: number): number | undefined {
  const value = headers.get('Retry-After')
  if (value === null) return undefined
  const seconds = /^\d+$/.test(value) ? Number(value) : Math.ceil(Date.parse(value) / 1000) - now
  return seconds >= 0 ? Math.min(seconds, MAX_RETRY_SECONDS) : undefined
}
