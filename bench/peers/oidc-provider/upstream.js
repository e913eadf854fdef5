/** oidc-provider as the issuer of workloads' tokens, for `npm run test:federation`. The clients differ in the lifetime of their tokens. */

import { generateKeyPairSync } from 'node:crypto'
import process from 'node:process'
import Provider from 'oidc-provider'

const { ISSUER, CLIENTS, CLIENT_SECRET: client_secret, PORT } = process.env
/** Seconds by client. */
const lifetimes = JSON.parse(CLIENTS)

// By default it has keys that everybody knows.
const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' })

const provider = new Provider(ISSUER, {
  clients: Object.keys(lifetimes).map((client_id) => ({
    client_id,
    client_secret,
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
    token_endpoint_auth_method: 'client_secret_post',
  })),
  jwks: { keys: [{ ...key, alg: 'RS256', use: 'sig' }] },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_context, _resource, { clientId }) => ({
        scope: '',
        accessTokenFormat: 'jwt',
        accessTokenTTL: lifetimes[clientId],
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
})
provider.listen(Number(PORT), '127.0.0.1')
