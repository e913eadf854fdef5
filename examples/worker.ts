/** The smallest Worker: one grant, one method of client authentication, clients in memory. A bundler drops the rest of the package. */

import {
  type App,
  authentication,
  CLIENTS,
  clientCredentials,
  clientKey,
  clientRecord,
  clientSecretBasic,
  createProvider,
  jwksEndpoint,
  openRecords,
  readKeyring,
  tokenEndpoint,
} from 'edgemint'
import { memoryStores } from 'edgemint/stores/memory'

/** Secrets of the Worker. `CLIENT` is a client's record in JSON, with the hash of its secret. */
type Secrets = Readonly<Record<'ISSUER' | 'SIGNING_KEYS' | 'CLIENT', string>>

async function create({ ISSUER, SIGNING_KEYS, CLIENT }: Secrets): Promise<App> {
  const { registry } = memoryStores()
  await registry.put(clientKey(JSON.parse(CLIENT).client_id), clientRecord(JSON.parse(CLIENT)))
  const keyring = await readKeyring(SIGNING_KEYS)
  const clients = authentication([clientSecretBasic()], openRecords(registry).find(CLIENTS))
  const token = tokenEndpoint({ authentication: clients, grants: [clientCredentials()], keyring })
  return createProvider({ issuer: ISSUER, endpoints: [token, jwksEndpoint(keyring)] })
}

let provider: Promise<App> | undefined
export default {
  async fetch(request: Request, secrets: Secrets): Promise<Response> {
    provider ??= create(secrets)
    return (await provider).fetch(request)
  },
}
