/** A grant of one's own: a device presents the code that is printed on it and gets a token whose subject is the device. */

import {
  authentication,
  CLIENTS,
  clientKey,
  clientRecord,
  clientSecretPost,
  createProvider,
  type Grant,
  generateKeyring,
  hashSecret,
  jwksEndpoint,
  OAuthError,
  openRecords,
  tokenEndpoint,
} from 'edgemint'
import { memoryStores } from 'edgemint/stores/memory'

const DEVICES: ReadonlyMap<string, string> = new Map([['4711-0815', 'thermometer-7']])

const byDeviceCode: Grant = {
  grantType: 'urn:example:grant-type:device-label',
  parameters: { label: { required: true, description: 'The code on the label of the device' } },
  async permit({ form }) {
    const device = DEVICES.get(form.get('label') ?? '')
    // The code goes to the client. The reason is for the audit event; one of your own begins with `x_`.
    if (device === undefined) throw new OAuthError('invalid_request', 'x_label_unknown', 'The label is unknown.')
    return { subject: device, scope: ['measurements.write'], defaultScope: ['measurements.write'], resources: [] }
  },
}

const client = {
  client_id: 'gateway',
  client_secrets: [{ id: '1', hash: await hashSecret('correct horse battery staple') }],
  grant_types: [byDeviceCode.grantType],
}
const { registry } = memoryStores()
await registry.put(clientKey(client.client_id), clientRecord(client))

const keyring = await generateKeyring()
const findClient = openRecords(registry).find(CLIENTS)

export default createProvider({
  issuer: 'https://tokens.example.com',
  endpoints: [
    tokenEndpoint({
      authentication: authentication([clientSecretPost()], findClient),
      grants: [byDeviceCode],
      keyring,
    }),
    jwksEndpoint(keyring),
  ],
})
