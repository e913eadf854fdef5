/**
 * Returns the body as text. workerd warns of each `response.text()` whose media type is not of text, which `application/jwt` is not.
 */
export async function textOf(response: Response): Promise<string> {
  return new TextDecoder().decode(await response.arrayBuffer())
}
