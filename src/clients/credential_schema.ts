/** Schemas of a federated credential as an operator submits it. */

import * as v from 'valibot'
import { Rules } from '../issuers/rule_checks.ts'
import type { FederatedCredential } from '../types.ts'
import { checkPlain, Lifetime, upTo } from './member_checks.ts'

/** Each request of the client may compare its token with all of them. */
export const MAX_CREDENTIALS = 20

const Instant = v.pipe(
  v.number('must be epoch seconds'),
  v.integer('must be epoch seconds'),
  v.minValue(0, 'must not be negative'),
)

const Members = {
  label: v.optional(
    v.pipe(v.string('must be a string'), v.maxLength(100, 'must have at most 100 characters'), checkPlain),
  ),
  issuer: upTo(256),
  claims: Rules,
  expires_at: v.optional(Instant),
  access_token_lifetime: v.optional(Lifetime),
}

/** What an operator adds; the server chooses the rest. */
export type NewCredentialRequest = Omit<FederatedCredential, 'id' | 'created_at'>

/** Schema of a credential that an operator adds. */
export const NewCredential: v.GenericSchema<unknown, NewCredentialRequest> = v.object(Members)

/** Schema of a submitted list of credentials. */
export const CredentialList: v.GenericSchema<unknown, FederatedCredential[]> = v.pipe(
  v.array(
    v.object({
      id: v.pipe(
        v.string('must be a string'),
        v.regex(/^[\w.:-]{1,64}$/, 'must be 1 to 64 of: letters, digits and . : _ -'),
      ),
      ...Members,
      created_at: v.optional(Instant),
    }),
    'must be a list',
  ),
  v.maxLength(MAX_CREDENTIALS, `must have at most ${MAX_CREDENTIALS} items`),
  v.check((list) => new Set(list.map(({ id }) => id)).size === list.length, 'must not have the same id twice'),
)
