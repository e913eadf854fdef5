import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { authentication } from '../src/authentication/authenticate.ts'
import { clientSecretPost } from '../src/authentication/client_secret_post.ts'
import { CLIENTS } from '../src/clients/registry.ts'
import { tokenEndpoint } from '../src/endpoints/token.ts'
import { clientCredentials } from '../src/grants/client_credentials.ts'
import { generateKeyring, type Keyring } from '../src/keys/keyring.ts'
import { createPreset } from '../src/preset.ts'
import { openRecords } from '../src/records/open.ts'
import { memoryStores } from '../src/stores/memory.ts'

describe('a keyring of a shorter lifetime than that of the tokens', () => {
  const issuer = 'https://tokens.example'
  const expected = {
    name: 'TypeError',
    message:
      'The keyring publishes retired keys for tokens of 1800 s, and accessTokenLifetime is 1801 s: ' +
      'pass { lifetimeSeconds: 1801 } to readKeyring or generateKeyring.',
  }

  test('is refused by the full server and by the token endpoint', async () => {
    const stores = memoryStores()
    const clients = authentication([clientSecretPost()], openRecords(stores.registry).find(CLIENTS))
    const makers = [
      (keyring: Keyring, accessTokenLifetime?: number) =>
        createPreset({ issuer, keyring, ...stores, ...(accessTokenLifetime && { accessTokenLifetime }) }),
      (keyring: Keyring, accessTokenLifetime?: number) =>
        tokenEndpoint({
          authentication: clients,
          grants: [clientCredentials()],
          keyring,
          ...(accessTokenLifetime && { accessTokenLifetime }),
        }),
    ]
    const [usual, longer] = [await generateKeyring(), await generateKeyring({ lifetimeSeconds: 1801 })]
    for (const make of makers) {
      for (const lifetime of [undefined, 600, 1800]) assert.ok(make(usual, lifetime))
      assert.throws(() => make(usual, 1801), expected)
      assert.ok(make(longer, 1801))
    }
    const short = await generateKeyring({ lifetimeSeconds: 600 })
    for (const make of makers) assert.throws(() => make(short), /tokens of 600 s, and accessTokenLifetime is 1800 s/)
  })
})
