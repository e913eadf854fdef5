/** What grants share in which a client gets a token for itself. */

import { unauthorizedClient } from '../errors.ts'
import type { Permit } from '../permit.ts'
import { splitScope } from '../policy/scope.ts'
import type { Client } from '../types.ts'

/** @throws OAuthError `unauthorized_client` for a public client, whose identity nothing proves */
export function refusePublic({ token_endpoint_auth_method }: Client): void {
  if (token_endpoint_auth_method === 'none') {
    throw unauthorizedClient('client_public', 'A public client cannot use this grant.')
  }
}

/** Returns the permit of everything that the client's record allows, with the client as the subject. */
export function permitForItself({
  client_id,
  scope = '',
  default_scope = '',
  resources = [],
  token_exchange,
}: Client): Permit {
  const may_act = token_exchange?.may_act
  return {
    subject: client_id,
    scope: splitScope(scope),
    defaultScope: splitScope(default_scope),
    resources,
    ...(may_act !== undefined && { mayAct: { sub: may_act } }),
  }
}
