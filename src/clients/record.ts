/** The schema of a stored client, and the default of its authentication method. */

import * as v from 'valibot'
import type { Client } from '../types.ts'
import { type RegisteredClient, STORED } from './members.ts'

export const ClientRecord: v.GenericSchema<unknown, RegisteredClient> = v.object(STORED)

/** A client that registers no method may use either, as in fosite. The default in RFC 7591 §2 is the first only. */
const DEFAULT_METHODS: readonly string[] = ['client_secret_basic', 'client_secret_post']

/** Returns the authentication methods that a client may use, as values of `token_endpoint_auth_method`. */
export function methodsOf({
  token_endpoint_auth_method: method,
}: Pick<Client, 'token_endpoint_auth_method'>): readonly string[] {
  return method === undefined ? DEFAULT_METHODS : [method]
}
