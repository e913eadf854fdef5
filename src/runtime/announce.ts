/** Returns the line that shows which request to try in development. */
export function curlLine(origin: string): string {
  return `edgemint: development mode, try: curl ${origin}/token -d grant_type=client_credentials -d client_id=test-client -d client_secret=foobar`
}
