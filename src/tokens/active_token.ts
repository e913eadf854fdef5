/** Tokens of this server that are good now: signed by it, not expired, and not denied in any way. */

import type { FindClient } from '../clients/registry.ts'
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
 * is cut, disabled or deleted. Rejects when the registry or the ledger fails.
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
    const [client, isDenied] = await Promise.all([findClient(token.client_id), isRevoked(token)])
    return client === undefined || client.disabled || isDenied ? undefined : { token, client }
  }
}
