/** The member `token_exchange` of a client, as an operator submits it. */

import * as v from 'valibot'
import { Scope } from '../policy/scope.ts'
import { ResourceId } from '../resources/registry.ts'
import type { TokenExchange } from '../types.ts'
import { listOf } from './member_checks.ts'

const Flag = v.boolean('must be true or false')

const Members = {
  as: v.optional(listOf(ResourceId, 20)),
  impersonation: v.optional(Flag),
  may_widen: v.optional(Scope),
  may_act: v.optional(
    v.pipe(
      v.string('must be a string'),
      v.regex(/^[\x20-\x7e]{1,256}$/, 'must be a client_id: 1 to 256 visible ASCII characters and spaces'),
    ),
  ),
}

/** Schema of the submitted member. A misspelt name in it would lift a limit, so unknown names are refused. */
export const Exchange: v.GenericSchema<unknown, TokenExchange> = v.pipe(
  v.looseObject(Members, 'must be an object'),
  v.check(
    (value) => Object.keys(value).every((name) => Object.hasOwn(Members, name)),
    `must have no other members than ${Object.keys(Members).join(', ')}`,
  ),
)
