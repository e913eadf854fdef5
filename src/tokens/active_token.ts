/** Tokens of this server that are good now: signed by it, not expired, and not denied in any way. */

import { type FindClient, isClientId } from '../clients/registry.ts'
import type { Keyring } from '../keys/keyring.ts'
import type { Client, Context } from '../types.ts'
import { type OwnToken, readOwnToken } from './own_token.ts'
import type { Revocations } from './revocations.ts'

/** A token that is good now, and the client that it was issued to. */
export interface ActiveToken {
  readonly token: OwnToken
  readonly client: Client
}

/**
 * Returns an active token; undefined for one that is not an access token of this server, has expired, was revoked, or whose client
 * is cut, disabled or deleted, or whose subject or an actor is a client that is cut or disabled. Rejects when the registry or the
 * ledger fails.
 */
export type FindActive = (jws: string, context: Pick<Context, 'issuer' | 'now'>) => Promise<ActiveToken | undefined>

export interface ActiveTokenOptions {
  readonly keyring: Keyring
  readonly findClient: FindClient
  readonly isRevoked: Revocations['isRevoked']
}

/** Returns a function that finds active tokens: the same checks wherever a token is presented. */
export function activeTokens({ keyring, findClient, isRevoked }: ActiveTokenOptions): FindActive {
  return async (jws, { issuer, now }) => {
    const token = await readOwnToken(jws, { keyring, issuer, now })
    if (token === undefined) return undefined
    const others = token.parties.filter((name) => name !== token.client_id && isClientId(name))
    const [isDenied, client, ...parties] = await Promise.all([
      isRevoked(token),
      findClient(token.client_id),
      // What is not a client is the name of another subject; the cut of a client that was deleted remains.
      ...others.map((name) => findClient(name)),
    ])
    const isEnded = [client, ...parties].some((party) => party?.disabled)
    return client === undefined || isEnded || isDenied ? undefined : { token, client }
  }
}
