/** `fetch` with an access token. */

import type { IssuedToken } from './answer.ts'
import type { Prover } from './prover.ts'

export interface SenderOptions {
  readonly origins: readonly string[]
  token(): Promise<IssuedToken>
  /** Receives each token that an API has refused. */
  forget(refused: IssuedToken): void
  findProver(): Promise<Prover> | undefined
  send(request: Request): Promise<Response>
}

/**
 * Returns a `fetch` that adds the token. It sends the request once more when the API asks for a nonce, or refuses the token, which may have
 * been revoked; unless its body was a stream, which cannot be sent again. It follows no redirect.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-2.1 RFC 6750 §2.1}, {@link https://www.rfc-editor.org/rfc/rfc9449#section-7 RFC 9449 §7}
 */
export function sender(
  options: SenderOptions,
): (input: string | URL | Request, init?: RequestInit) => Promise<Response> {
  /** The latest nonce of each origin, which are few. */
  const nonces = new Map<string, string>()
  const sendOnce = async (request: Request, token: IssuedToken): Promise<Response> => {
    const { url, method } = request
    const { origin } = new URL(url)
    const headers = new Headers(request.headers)
    headers.set('Authorization', `${token.tokenType} ${token.accessToken}`)
    if (token.tokenType === 'DPoP') {
      const proven = { method, url, nonce: nonces.get(origin), accessToken: token.accessToken }
      headers.set('DPoP', (await (await options.findProver())?.prove(proven)) ?? '')
    }
    const response = await options.send(new Request(request, { headers, redirect: 'manual' }))
    const nonce = response.headers.get('DPoP-Nonce')
    if (nonce !== null) nonces.set(origin, nonce)
    return response
  }
  return async (input, init = {}) => {
    const isStream = init.body instanceof ReadableStream || (input instanceof Request && input.body !== null)
    const request = new Request(input, init)
    const { origin } = new URL(request.url)
    if (!options.origins.includes(origin)) throw new TypeError(`tokens are not sent to ${origin}`)
    const again = isStream ? undefined : request.clone()
    const token = await options.token()
    const response = await sendOnce(request, token)
    const challenge = response.status === 401 ? (response.headers.get('WWW-Authenticate') ?? '') : ''
    const isRefused = challenge.includes('error="invalid_token"')
    if (isRefused) options.forget(token)
    if (again === undefined || !(isRefused || challenge.includes('error="use_dpop_nonce"'))) return response
    await response.body?.cancel()
    return sendOnce(again, await options.token())
  }
}
