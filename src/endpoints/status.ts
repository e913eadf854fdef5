/** The endpoints that show the state of the server: the probes, and the page at `/`. */

import { isManaged } from '../keys/stored_keyring.ts'
import type { Endpoint } from './endpoint.ts'
import { type FindWarnings, healthEndpoints, type ReadinessOptions, readiness } from './health.ts'
import { homeEndpoint } from './home.ts'
import type { HomeOptions } from './home_page.ts'

export interface StatusOptions extends ReadinessOptions, Pick<HomeOptions, 'tokenForm'> {}

/** Returns the endpoints. They share one check of readiness, so the ledger is asked once for all of them. */
export function statusEndpoints({ keyring, ledger, tokenForm }: StatusOptions): readonly Endpoint[] {
  const checkReadiness = readiness({ keyring, ledger })
  return [
    ...healthEndpoints(checkReadiness, keyWarnings(keyring)),
    homeEndpoint({ keyring, checkReadiness, tokenForm }),
  ]
}

function keyWarnings(keyring: StatusOptions['keyring']): FindWarnings {
  return async (now) => {
    if (!isManaged(keyring)) return []
    try {
      const { statuses } = await keyring.at(now)
      const overdue = statuses.filter((status) => status.overdue).map(({ alg }) => `key_rotation overdue: ${alg}`)
      const lost = statuses.filter((status) => status.undecryptable).map(({ kid }) => `key undecryptable: ${kid}`)
      return [...overdue, ...lost]
    } catch {
      return []
    }
  }
}
