/**
 * Returns the line that shows which request to try in development.
 *
 * @param remark about the origin, in parentheses
 */
export function curlLine(origin: string, remark = ''): string {
  return `edgemint: development mode, try${remark && ` ${remark}`}: curl ${origin}/token -d grant_type=client_credentials -d client_id=test-client -d client_secret=foobar`
}
