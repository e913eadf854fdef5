/** The parties that act for a subject, the latest outermost: the `act` claim of RFC 8693 §4.1. */

import { isObject } from '../lib/json.ts'

/** One actor, with the earlier ones inside. */
export type Actor = Readonly<Record<string, unknown>>

/** How many actors a token can have. */
export const MAX_ACTORS = 5

const MAX_ACTOR_BYTES = 2048

/** Returns an actor before the earlier ones, which are returned alone if the latest of them is the same client. */
export function withActor(sub: string, earlier: Actor | undefined): Actor {
  if (earlier !== undefined && isActor(sub, earlier)) return earlier
  return { sub, ...(earlier !== undefined && { act: earlier }) }
}

/** Returns whether a client of this server is the latest of the actors. */
export function isActor(client_id: string, actor: Actor): boolean {
  return actor['sub'] === client_id && actor['iss'] === undefined
}

/** Returns the `act` of verified claims, undefined when there is none. */
export function actorOf({ act }: Readonly<Record<string, unknown>>): Actor | undefined {
  return isObject(act) ? act : undefined
}

/**
 * Returns the actors that another issuer names, each with its `sub` and an `iss`, so that none of them is taken for a client of this
 * server; undefined when one is malformed or claims to be a client of this server. What else is said of them is left out: nested values
 * would make a token that this server cannot read back.
 */
export function foreignActor(
  act: unknown,
  iss: string,
  ownIssuer: string,
  levels: number = MAX_ACTORS,
): Actor | undefined {
  if (!isObject(act) || levels === 0) return undefined
  const { sub, iss: named = iss, act: earlier } = act
  if (typeof sub !== 'string' || sub === '' || typeof named !== 'string' || named === ownIssuer) return undefined
  if (earlier === undefined) return { sub, iss: named }
  const inside = foreignActor(earlier, iss, ownIssuer, levels - 1)
  return inside && { sub, iss: named, act: inside }
}

/** Returns whether there are more actors, or longer names of them, than a token can hold. */
export function isTooMuch(actor: Actor): boolean {
  let count = 1
  for (let inner = actorOf(actor); inner !== undefined; inner = actorOf(inner)) count++
  return count > MAX_ACTORS || new TextEncoder().encode(JSON.stringify(actor)).length > MAX_ACTOR_BYTES
}
