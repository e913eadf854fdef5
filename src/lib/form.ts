/** Reads `application/x-www-form-urlencoded` strictly: what cannot be decoded is refused, never guessed. */

const isEncoded = /[%+]/
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Decodes one form-encoded name or value.
 *
 * @throws URIError on a broken percent-escape and on octets that are not UTF-8
 * @see RFC 6749 appendix B
 */
export function formDecode(text: string): string {
  return isEncoded.test(text) ? decodeURIComponent(text.replaceAll('+', ' ')) : text
}

/**
 * Splits a form into its parameters, in order; those without a value are left out, as RFC 6749 §3.2 says.
 *
 * @throws TypeError on octets that are not UTF-8, URIError as {@link formDecode}
 */
export function readForm(body: ArrayBuffer): [name: string, value: string][] {
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
