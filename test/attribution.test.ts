import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { clientSecretPost } from '../src/authentication/client_secret_post.ts'
import { clientKey, clientRecord } from '../src/clients/registry.ts'
import { generateSecret } from '../src/secrets/generated.ts'
import { hashSecret } from '../src/secrets/hashes.ts'
import type { Registry } from '../src/stores/contracts.ts'
import { memoryStores } from '../src/stores/memory.ts'
import { createWorld, NOW } from './support/world.ts'

describe('the audit event of a refusal', () => {
  test('names the client of its own request, where several wait for one record that cannot be read', async () => {
    const secret = generateSecret()
    const client_secrets = [{ id: '1', hash: await hashSecret(secret) }]
    const names = ['alice', 'bob', 'carol']
    const { registry: memory } = memoryStores(() => NOW)
    for (const client_id of names) {
      const client = { client_id, client_secrets, grant_types: ['client_credentials'], resources: ['urn:x'] }
      await memory.put(clientKey(client_id), clientRecord(client))
    }
    let fail = () => {}
    const outage = new Promise<never>((_resolve, reject) => {
      fail = () => reject(new Error('connection lost'))
    })
    let asked = 0
    const registry: Registry = {
      ...memory,
      get: (key) => {
        if (!key.startsWith('resource:')) return memory.get(key)
        asked++
        return outage
      },
    }
    const { app, events } = await createWorld({ registry, clientAuth: [clientSecretPost()] })
    const answers = names.map((client_id) => {
      const form = { grant_type: 'client_credentials', client_id, client_secret: secret, resource: 'urn:x' }
      return app.request('/token', { method: 'POST', body: new URLSearchParams(form) })
    })
    // All three wait before the one read fails.
    await new Promise((resolve) => setTimeout(resolve, 50))
    fail()
    for (const answer of answers) assert.equal((await answer).status, 503)
    assert.equal(asked, 1)
    assert.deepEqual(events.map(({ client_id }) => client_id).sort(), names)
  })
})
