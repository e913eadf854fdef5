/** Explains to the operator why a request got no response. */

const SELF_SIGNED = 'its certificate is not signed by a known authority. --ca FILE trusts your own'

const SENTENCES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens on that port',
  ConnectionRefused: 'nothing listens on that port',
  ECONNRESET: 'the connection was closed before the response',
  UND_ERR_SOCKET: 'the connection was closed before the response',
  ENOTFOUND: 'its host name has no address',
  EAI_AGAIN: 'its host name could not be looked up',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'there is no route to it',
  ETIMEDOUT: 'it does not accept the connection',
  UND_ERR_CONNECT_TIMEOUT: 'it does not accept the connection',
  DEPTH_ZERO_SELF_SIGNED_CERT: SELF_SIGNED,
  SELF_SIGNED_CERT_IN_CHAIN: SELF_SIGNED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: SELF_SIGNED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: SELF_SIGNED,
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host name',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS on that port',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS on that port',
}

/** Returns the explanation of an error thrown by `fetch`, or the message of its innermost cause if there is none. */
export function unreachableText(thrown: unknown, timeoutSeconds: number): string {
  if (thrown instanceof Error && thrown.name === 'TimeoutError')
    return `no complete response within ${timeoutSeconds} s (--timeout changes the limit)`
  const causes = causesOf(thrown)
  const sentence = causes.map(({ code = '' }: NodeJS.ErrnoException) => SENTENCES[code]).find(Boolean)
  return sentence ?? causes.at(-1)?.message ?? String(thrown)
}

function causesOf(thrown: unknown): readonly Error[] {
  return thrown instanceof Error ? [thrown, ...causesOf(thrown.cause)] : []
}
