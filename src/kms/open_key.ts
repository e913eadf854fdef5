/** The client of a key, chosen by the service that its URL names. */

import { ANNOUNCE_SECONDS } from '../keys/rotation_plan.ts'
import { awsKey } from './aws.ts'
import type { Credentials } from './credentials.ts'
import type { ServiceClient } from './key_service.ts'
import type { KeyUrl } from './key_url.ts'
import type { CallService } from './transport.ts'
import { vaultKey } from './vault.ts'

export interface KeyServiceOptions {
  readonly credentials: Credentials
  readonly call: CallService
  /** Returns epoch seconds. */
  readonly now: () => number
}

/** Returns the client of a key. Asks the service nothing. */
export function openKey({ key, alg, signsFrom }: KeyUrl, { credentials, call }: KeyServiceOptions): ServiceClient {
  const shared = { alg, signsFrom: signsFrom ?? 0, credentials, call }
  return key.service === 'vault'
    ? vaultKey({ ...shared, key, announceSeconds: ANNOUNCE_SECONDS })
    : awsKey({ ...shared, key })
}
