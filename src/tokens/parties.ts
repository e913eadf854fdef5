/** The parties of a token: a denial of one of them denies the token. */

import { isObject } from '../lib/json.ts'

/** The claims that name parties. */
interface PartyClaims {
  readonly iss?: unknown
  readonly client_id?: unknown
  readonly sub?: unknown
  readonly act?: unknown
}

/** More than a token of this server has. */
const MAX_LEVELS = 10

/**
 * Returns the names in a token that can be those of clients, each once: its client, its subject and all its actors. An actor of another
 * issuer is left out.
 */
export function partiesOf({ iss, client_id, sub, act }: PartyClaims): readonly string[] {
  const names = [client_id, sub]
  let actor = act
  for (let level = 0; isObject(actor) && level < MAX_LEVELS; level++) {
    const { sub: name, iss: issuer = iss } = actor
    if (issuer === iss) names.push(name)
    actor = actor['act']
  }
  return [...new Set(names.filter((name) => typeof name === 'string'))]
}
