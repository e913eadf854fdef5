/** The endpoints that show the state of the server: the probes, and the page at `/`. */

import type { Endpoint } from './endpoint.ts'
import { healthEndpoints, type ReadinessOptions, readiness } from './health.ts'
import { homeEndpoint } from './home.ts'
import type { HomeOptions } from './home_page.ts'

export interface StatusOptions extends ReadinessOptions, Pick<HomeOptions, 'tokenForm'> {}

/** Returns the endpoints. They share one check of readiness, so the ledger is asked once for all of them. */
export function statusEndpoints({ keyring, ledger, tokenForm }: StatusOptions): readonly Endpoint[] {
  const checkReadiness = readiness({ keyring, ledger })
  return [...healthEndpoints(checkReadiness), homeEndpoint({ keyring, checkReadiness, tokenForm })]
}
