/** The public keys of a client, from its record or its `jwks_uri`. */

import type { RemoteKeys } from '../assertions/remote_keys.ts'
import type { FindKeys } from '../assertions/verify.ts'
import type { Client } from '../types.ts'

/** Returns a function that finds the keys of a client, or undefined when it has registered neither `jwks` nor `jwks_uri`. */
export function keysOf({ jwks, jwks_uri }: Client, remoteKeys: RemoteKeys): FindKeys | undefined {
  if (jwks !== undefined) return async () => jwks.keys
  return jwks_uri === undefined ? undefined : (options) => remoteKeys(jwks_uri, options)
}
