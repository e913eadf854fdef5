/** Federated credentials as they are stored. */

import * as v from 'valibot'
import { StoredRules } from '../issuers/stored_rules.ts'
import type { FederatedCredential } from '../types.ts'

/** Schema of a stored list of credentials: their types only. */
export const StoredCredentials: v.GenericSchema<unknown, FederatedCredential[]> = v.array(
  v.object({
    id: v.string(),
    label: v.optional(v.string()),
    issuer: v.string(),
    claims: StoredRules,
    created_at: v.optional(v.number()),
    expires_at: v.optional(v.number()),
    access_token_lifetime: v.optional(v.pipe(v.number(), v.minValue(1))),
  }),
)
