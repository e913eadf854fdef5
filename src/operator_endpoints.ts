/** The endpoints that only an operator's token opens, most of them to operators alone. */

import { ASSERTION_ALGORITHMS } from './assertions/algorithms.ts'
import type { Endpoint } from './endpoints/endpoint.ts'
import { type IssuersOptions, issuersEndpoint } from './endpoints/issuers.ts'
import { keysEndpoint } from './endpoints/keys.ts'
import { registerEndpoint } from './endpoints/register.ts'
import { resourcesEndpoint } from './endpoints/resources.ts'
import type { Emit } from './events/events.ts'
import type { ClientAuth, Grant } from './features.ts'
import type { Keyring } from './keys/keyring.ts'
import { isManaged } from './keys/stored_keyring.ts'
import type { Registry } from './stores/contracts.ts'
import type { Revocations } from './tokens/revocations.ts'

/** What the endpoints are made from. */
interface OperatorParts {
  readonly registry: Registry
  readonly keyring: Keyring
  readonly operatorTokenHash: string
  readonly clientAuth: readonly ClientAuth[]
  readonly grants: readonly Grant[]
  readonly revocations: Revocations | undefined
  readonly issuerKeys?: IssuersOptions['keys']
  readonly emit: Emit
}

/** Returns the endpoints for clients, resource servers, trusted issuers and, where they rotate, signing keys. */
export function operatorEndpoints(parts: OperatorParts): readonly Endpoint[] {
  const { registry, keyring, operatorTokenHash, revocations, emit } = parts
  const offer = {
    grantTypes: parts.grants.map(({ grantType }) => grantType),
    authMethods: parts.clientAuth.map(({ method }) => method),
    signingAlgs: [...ASSERTION_ALGORITHMS.keys()],
  }
  return [
    registerEndpoint({ registry, offer, operatorTokenHash, revocations, emit }),
    resourcesEndpoint({ registry, operatorTokenHash, signingAlgs: keyring.algorithms, emit }),
    issuersEndpoint({ registry, operatorTokenHash, keys: parts.issuerKeys, emit }),
    ...(isManaged(keyring) ? [keysEndpoint({ keyring, operatorTokenHash, revocations })] : []),
  ]
}
