/** The member `token_exchange` of a client, as it is stored. */

import * as v from 'valibot'
import type { TokenExchange } from '../types.ts'

/** Schema of the stored member: its types only. */
export const StoredExchange: v.GenericSchema<unknown, TokenExchange> = v.object({
  as: v.optional(v.array(v.string())),
  impersonation: v.optional(v.boolean()),
  may_widen: v.optional(v.string()),
  may_act: v.optional(v.string()),
})
