/** A verifier of secrets whose clock and comparisons the test controls. */

import assert from 'node:assert/strict'
import { hash } from 'bcrypt-ts/browser'
import { OAuthError } from '../../src/errors.ts'
import { type SecretVerifierOptions, secretVerifier } from '../../src/secrets/verifier.ts'
import type { Client } from '../../src/types.ts'
import { NOW } from './world.ts'

export const RIGHT = 'foobar'

/** Milliseconds that a comparison of bcrypt cost 4 is charged. */
export const COST: number = 80 / 2 ** 6
export const foobar: string = await hash(RIGHT, 4)

export const clientOf = (client_id: string): Client => ({ client_id, client_secrets: [{ id: '1', hash: foobar }] })
export const attacked: Client = clientOf('attacked')
export const other: Client = clientOf('other')

export interface SetUp {
  readonly state: { compared: number; milliseconds: number }
  /** Resolves to `right`, the reason why the secret is not, or the seconds of `Retry-After`. */
  readonly verify: (client: Client, secret: string) => Promise<string | number>
  /** Verifies another wrong secret each time. */
  readonly guess: (client: Client) => Promise<string | number>
}

/** A verifier whose clock the test moves. The allowance of one client is 16 comparisons, that of all is 64. */
export function setUp(more: SecretVerifierOptions = {}): SetUp {
  const state = { compared: 0, milliseconds: 0 }
  const verifyAt = secretVerifier({
    clock: () => state.milliseconds,
    clientAllowance: 16 * COST,
    totalAllowance: 64 * COST,
    onCompare: () => state.compared++,
    ...more,
  })
  let guesses = 0
  const verify = async (client: Client, secret: string) => {
    try {
      return (await verifyAt(client, secret, NOW)) ?? 'right'
    } catch (error) {
      assert.ok(error instanceof OAuthError && error.reason === 'comparisons_busy' && error.status === 503)
      return Number(error.headers['Retry-After'])
    }
  }
  return { state, verify, guess: (client: Client) => verify(client, `guess-${guesses++}`) }
}

export interface Gate {
  readonly onCompare: () => Promise<void>
  readonly started: Promise<void>
  readonly release: () => void
}

/** Lets comparisons begin, and stand still until they are released. */
export function gate(): Gate {
  const [started, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const onCompare = () => {
    started.resolve()
    return released.promise
  }
  return { onCompare, started: started.promise, release: released.resolve }
}
