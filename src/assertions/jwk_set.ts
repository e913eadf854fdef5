/** JWK Sets of clients. */

import * as v from 'valibot'
import type { Jwk } from '../types.ts'

/** An assertion without `kid` may cost one verification per key. */
const MAX_KEYS = 20

/** Schema of a JWK Set, RFC 7517 §5. The members of a key are checked when the key is used. */
export const JwkSet: v.GenericSchema<unknown, { keys: Jwk[] }> = v.object({
  keys: v.pipe(v.array(v.record(v.string(), v.unknown())), v.maxLength(MAX_KEYS)),
})
