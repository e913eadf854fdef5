/** Explains to the operator why a request got no response. */

const SELF_SIGNED = 'its certificate is not signed by a known authority. --ca FILE trusts your own'
const NO_TLS = 'it does not speak TLS on that port'

const SENTENCES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens on that port',
  ConnectionRefused: 'nothing listens on that port',
  ECONNRESET: 'the connection was closed before the response',
  ENOTFOUND: 'its host name has no address',
  EAI_AGAIN: 'its host name could not be looked up',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'there is no route to it',
  ETIMEDOUT: 'it does not accept the connection',
  DEPTH_ZERO_SELF_SIGNED_CERT: SELF_SIGNED,
  SELF_SIGNED_CERT_IN_CHAIN: SELF_SIGNED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: SELF_SIGNED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: SELF_SIGNED,
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host name',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
}

/** Returns the explanation of an error thrown by `fetch`, or the message of its innermost cause if there is none. */
export function unreachableText(thrown: unknown, timeoutSeconds: number): string {
  if (thrown instanceof Error && thrown.name === 'TimeoutError')
    return `no complete response within ${timeoutSeconds} s (--timeout changes the limit)`
  const causes = causesOf(thrown)
  const sentence = causes.map(sentenceOf).find(Boolean)
  return sentence ?? causes.at(-1)?.message.trim() ?? String(thrown)
}

function sentenceOf({ code = '', message }: NodeJS.ErrnoException): string | undefined {
  // Node reports an error of OpenSSL while it writes as EPROTO, with the reason in the message only.
  const isNoTls = code === 'EPROTO' && /:(wrong version number|packet length too long):/.test(message)
  return isNoTls ? NO_TLS : SENTENCES[code]
}

function causesOf(thrown: unknown): readonly Error[] {
  return thrown instanceof Error ? [thrown, ...causesOf(thrown.cause)] : []
}
