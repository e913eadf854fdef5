/** SPIFFE IDs, which name workloads. */

const MAX_CHARACTERS = 2048

const ID = /^spiffe:\/\/([a-z\d._-]{1,255})((?:\/[\w.-]+)+)$/i

/** A SPIFFE ID in two parts. */
export interface SpiffeId {
  /** In lower case. */
  readonly trustDomain: string
  /** Begins with a slash. */
  readonly path: string
}

/**
 * Returns the parts of the SPIFFE ID of a workload, undefined for anything else. Scheme and trust domain are compared without
 * regard to case, the path exactly.
 *
 * @see {@link https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE-ID.md#2-spiffe-identity SPIFFE-ID §2}
 */
export function readSpiffeId(value: unknown): SpiffeId | undefined {
  const [, trustDomain = '', path = ''] =
    typeof value === 'string' && value.length <= MAX_CHARACTERS ? (ID.exec(value) ?? []) : []
  const hasDots = path.split('/').some((segment) => segment === '.' || segment === '..')
  return trustDomain === '' || hasDots ? undefined : { trustDomain: trustDomain.toLowerCase(), path }
}

/** Returns the identifier of the trusted issuer of a trust domain. */
export function trustDomainIssuer(trustDomain: string): string {
  return `spiffe://${trustDomain}`
}
