/** Why a request had no answer, in a sentence for the operator. */

const SELF_SIGNED =
  'its certificate is not signed by a known authority. NODE_EXTRA_CA_CERTS=ca.pem in the environment adds yours'

const SENTENCES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was closed before the answer',
  UND_ERR_SOCKET: 'the connection was closed before the answer',
  ENOTFOUND: 'its name has no address',
  EAI_AGAIN: 'its name could not be looked up',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'there is no route to it',
  ETIMEDOUT: 'it does not accept the connection',
  UND_ERR_CONNECT_TIMEOUT: 'it does not accept the connection',
  DEPTH_ZERO_SELF_SIGNED_CERT: SELF_SIGNED,
  SELF_SIGNED_CERT_IN_CHAIN: SELF_SIGNED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: SELF_SIGNED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: SELF_SIGNED,
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS on that port',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS on that port',
}

/** Returns the sentence for what `fetch` threw; where there is none, the message of the innermost cause. */
export function unreachableText(thrown: unknown, timeoutSeconds: number): string {
  if (thrown instanceof Error && thrown.name === 'TimeoutError')
    return `no complete answer within ${timeoutSeconds} s (--timeout sets it)`
  const causes = causesOf(thrown)
  const sentence = causes.map(({ code = '' }: NodeJS.ErrnoException) => SENTENCES[code]).find(Boolean)
  return sentence ?? causes.at(-1)?.message ?? String(thrown)
}

function causesOf(thrown: unknown): readonly Error[] {
  return thrown instanceof Error ? [thrown, ...causesOf(thrown.cause)] : []
}
