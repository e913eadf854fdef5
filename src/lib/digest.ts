import { encodeBase64url } from './base64url.ts'

const encoder = new TextEncoder()

/** Returns the base64url of the SHA-256 of a text in UTF-8. */
export async function digestOf(text: string): Promise<string> {
  return encodeBase64url(new Uint8Array(await crypto.subtle.digest('SHA-256', encoder.encode(text))))
}
