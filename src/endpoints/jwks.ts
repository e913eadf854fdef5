/** `GET /.well-known/jwks.json`: the keys that verify tokens of this server. */

import { Hono } from 'hono'
import type { Connection } from '../certificates/client_cert.ts'
import { publicText, publish } from '../http/public_document.ts'
import type { Keyring } from '../keys/keyring.ts'
import type { Endpoint } from './endpoint.ts'
import { type NamedSchema, objectSchema } from './operation.ts'

const PATH = '/.well-known/jwks.json'
const TYPE = 'application/jwk-set+json'

const JWK_SET: NamedSchema = {
  name: 'JwkSet',
  schema: objectSchema(['keys'], { keys: { type: 'array', items: { type: 'object' } } }),
}

/**
 * Returns the endpoint that publishes a keyring.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7517#section-5 RFC 7517 §5}
 */
export function jwksEndpoint(keyring: Keyring): Endpoint {
  return {
    path: PATH,
    metadataMember: 'jwks_uri',
    // There are no ID tokens. Verifiers that use OpenID Connect Discovery read the algorithms of access tokens here.
    openidMetadata: {
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: keyring.algorithms,
    },
    operations: {
      [PATH]: {
        get: {
          operationId: 'getKeys',
          tag: 'Discovery',
          summary: 'Returns the keys that verify tokens, RFC 7517 §5',
          answers: { 200: { type: TYPE, schema: JWK_SET } },
          errors: [],
          example: {
            keys: [{ kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo', kid: '1' }],
          },
        },
      },
    },
    routes({ now }) {
      const respond = publicText(TYPE, keyring.maxAgeSeconds)
      const app = new Hono<{ Bindings: Connection }>()
      publish(app, '/', async () => {
        const { published } = await (keyring.fresh ?? keyring.at)(now())
        return respond(JSON.stringify(published))
      })
      return app
    },
  }
}
