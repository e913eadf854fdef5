/** The public keys of a client, given in its record or published by it. */

import type { RemoteKeys } from '../assertions/remote_keys.ts'
import type { FindKeys } from '../assertions/verify.ts'
import type { Client } from '../types.ts'

/** Gives undefined when the client has registered neither `jwks` nor `jwks_uri`. */
export function keysOf({ jwks, jwks_uri }: Client, remoteKeys: RemoteKeys): FindKeys | undefined {
  if (jwks !== undefined) return async () => jwks.keys
  return jwks_uri === undefined ? undefined : (options) => remoteKeys(jwks_uri, options)
}
