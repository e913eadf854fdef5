/** Answers of the token endpoint, and why there is no token. */

import { readBytes } from '../lib/read_bytes.ts'

const MAX_BYTES = 64 * 1024

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

/**
 * Returns the token of an answer.
 *
 * @throws TokenError when there is none
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-5.1 RFC 6749 §5.1}
 */
export function readAnswer(
  { status, headers }: Response,
  body: Readonly<Record<string, unknown>>,
  now: number,
): IssuedToken {
  const { access_token, token_type, expires_in, scope, error, error_description } = body
  const type = String(token_type).toLowerCase()
  const isToken = status === 200 && typeof access_token === 'string' && (type === 'bearer' || type === 'dpop')
  if (!isToken || typeof expires_in !== 'number') {
    const code = typeof error === 'string' ? error : undefined
    throw new TokenError(status, code, String(error_description ?? 'no token was issued'), retryAfterOf(headers, now))
  }
  return {
    accessToken: access_token,
    tokenType: type === 'dpop' ? 'DPoP' : 'Bearer',
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
  return seconds >= 0 ? seconds : undefined
}
