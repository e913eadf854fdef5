const encoder = new TextEncoder()
const decoder = new TextDecoder()

/**
 * Returns a copy of a text that shares no memory with another. Engines keep the whole text alive from which a part was cut, so a
 * name of 20 characters that is kept may keep a body of 64 KiB.
 */
export function ownText(text: string): string {
  return decoder.decode(encoder.encode(text))
}
