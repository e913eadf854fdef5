/** A strict reader for `application/x-www-form-urlencoded`: input that cannot be decoded is refused. */

const isEncoded = /[%+]/
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Decodes one form-encoded name or value.
 *
 * @throws URIError if a percent-escape is malformed or the octets are not UTF-8
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#appendix-B RFC 6749 appendix B}
 */
export function formDecode(text: string): string {
  return isEncoded.test(text) ? decodeURIComponent(text.replaceAll('+', ' ')) : text
}

/**
 * Returns the parameters of a form in order, without those that have no value.
 *
 * @throws TypeError if the octets are not UTF-8, URIError as {@link formDecode}
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-3.2 RFC 6749 §3.2}
 */
export function readForm(body: ArrayBuffer | Uint8Array<ArrayBuffer>): [name: string, value: string][] {
  const text = utf8.decode(body)
  const parameters: [string, string][] = []
  for (const pair of text.split('&')) {
    const equals = pair.indexOf('=')
    const name = formDecode(equals < 0 ? pair : pair.slice(0, equals))
    const value = equals < 0 ? '' : formDecode(pair.slice(equals + 1))
    if (value !== '') parameters.push([name, value])
  }
  return parameters
}
