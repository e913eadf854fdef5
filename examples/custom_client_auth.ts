/** A method of client authentication of one's own: a gateway in front has verified the client, and signs its id with a shared key. */

import {
  authentication,
  CLIENTS,
  type ClientAuth,
  clientCredentials,
  clientKey,
  clientRecord,
  createProvider,
  generateKeyring,
  jwksEndpoint,
  openRecords,
  tokenEndpoint,
} from 'edgemint'
import { memoryStores } from 'edgemint/stores/memory'

const GATEWAY_KEY = 'a key that the gateway and this server share'

const byGateway: ClientAuth = {
  method: 'gateway_signature',
  // It vouches for the connection; the request itself names the client in `client_id`.
  reads: 'connection',
  read({ headers, form }) {
    const signature = headers.get('X-Gateway-Signature')
    const client_id = form.get('client_id')
    if (signature === null || client_id === null) return undefined
    return {
      client_id,
      // The reason of a refusal is for the audit event; one of your own begins with `x_`.
      verify: async () => ((await isSigned(client_id, signature)) ? undefined : 'x_gateway_signature_wrong'),
    }
  },
}

/** @param signature hexadecimal */
async function isSigned(text: string, signature: string): Promise<boolean> {
  const octets = new TextEncoder()
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const key = await crypto.subtle.importKey('raw', octets.encode(GATEWAY_KEY), algorithm, false, ['verify'])
  const presented = Uint8Array.from(signature.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
  return crypto.subtle.verify('HMAC', key, presented, octets.encode(text))
}

const client = {
  client_id: 'reporting',
  token_endpoint_auth_method: byGateway.method,
  grant_types: ['client_credentials'],
  scope: 'reports.*',
}
const { registry } = memoryStores()
await registry.put(clientKey(client.client_id), clientRecord(client))
const keyring = await generateKeyring()
const clients = authentication([byGateway], openRecords(registry).find(CLIENTS))
const token = tokenEndpoint({ authentication: clients, grants: [clientCredentials()], keyring })

export default createProvider({ issuer: 'https://tokens.example.com', endpoints: [token, jwksEndpoint(keyring)] })
