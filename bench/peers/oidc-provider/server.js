/** oidc-provider with client credentials and JWT access tokens of 30 minutes. It requires client secrets in plain text. */

import { generateKeyPairSync } from 'node:crypto'
import process from 'node:process'
import Provider from 'oidc-provider'

const { ALG: alg, CLIENT_SECRET: client_secret, PORT } = process.env
const KEYS = {
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: () => generateKeyPairSync('ed25519'),
}
const jwk = {
  ...KEYS[alg]().privateKey.export({ format: 'jwk' }),
  alg: alg === 'EdDSA' ? 'Ed25519' : alg,
  use: 'sig',
  kid: 'bench',
}
const resource = 'https://api.example'

const provider = new Provider(`http://localhost:${PORT}`, {
  clients: [
    {
      client_id: 'client-0',
      client_secret,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      token_endpoint_auth_method: 'client_secret_post',
      id_token_signed_response_alg: jwk.alg,
    },
  ],
  jwks: { keys: [jwk] },
  ttl: { ClientCredentials: 1800 },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => resource,
      getResourceServerInfo: () => ({
        scope: '',
        accessTokenFormat: 'jwt',
        accessTokenTTL: 1800,
        jwt: { sign: { alg: jwk.alg } },
      }),
    },
  },
})
provider.listen(Number(PORT), '127.0.0.1')
