/**
 * Two services and edgemint. The shop asks `orders`, and `orders` asks `stock`, each with a token that is bound to a key of its own
 * process (DPoP) and that is good for that one API. Here all run in one process, and `network` stands in for the network; in
 * production each is a process of its own, and nothing is passed as `fetch`.
 */

import { type Client, clientKey, clientRecord, createPreset, generateKeyring, hashSecret } from 'edgemint'
import { clientSecret, tokenClient } from 'edgemint/client'
import { type GuardEnv, honoGuard, protect, resourceMetadata, revocationList } from 'edgemint/resource-server'
import { memoryStores } from 'edgemint/stores/memory'
import { Hono } from 'hono'

const ISSUER = 'https://tokens.example.com'
const ORDERS = 'https://orders.example.com'
const STOCK = 'https://stock.example.com'

/** The token server, with the records that an operator would make. */
const stores = memoryStores()
async function register(client_id: string, client: Partial<Client>): Promise<void> {
  const hash = await hashSecret(`the secret of ${client_id}`)
  const common = { client_secrets: [{ id: '1', hash }], grant_types: ['client_credentials'] }
  // Its tokens are of no use to anyone who copies them.
  const record = { ...common, client_id, dpop_bound_access_tokens: true, ...client }
  await stores.registry.put(clientKey(client_id), clientRecord(record))
}
for (const resource of [ORDERS, STOCK])
  await stores.registry.put(`resource:${resource}`, JSON.stringify({ schema: 1, resource }))
await register('shop', { scope: 'orders.read', resources: [ORDERS] })
await register('orders', { scope: 'stock.read', resources: [STOCK] })

const tokens = createPreset({ issuer: ISSUER, keyring: await generateKeyring(), ...stores })

/** What is at each origin. */
const network = (request: Request): Promise<Response> => {
  const app = { [ISSUER]: tokens, [ORDERS]: orders, [STOCK]: stock }[new URL(request.url).origin]
  return Promise.resolve(app?.fetch(request) ?? new Response(null, { status: 502 }))
}

/** Protects an API: its tokens must be bound to a key, and a token is refused a minute after it was revoked. */
const guardOf = (audience: string) =>
  protect({
    issuer: ISSUER,
    audience,
    dpop: { required: true },
    revocations: revocationList(),
    resourceMetadata: resourceMetadata({ resource: audience, authorization_servers: [ISSUER] }).url,
    fetch: (url, init) => network(new Request(url, init)),
  })

/** Gets tokens for an API, keeps them, and sends them with a proof. */
const clientOf = (clientId: string, resource: string, scope: string) =>
  tokenClient({
    issuer: ISSUER,
    clientId,
    // In production, a secret of its environment, a key, or the token of its platform.
    credentials: clientSecret(`the secret of ${clientId}`),
    resource,
    scope,
    dpop: true,
    fetch: network,
  })

/** The service behind: it lets those in who may read the stock. */
const stock = new Hono<GuardEnv>()
stock.use(honoGuard(guardOf(STOCK), { scope: 'stock.read' }))
stock.get('/items/:id', (c) => c.json({ id: c.req.param('id'), left: 3, asked_by: c.get('token').clientId }))

/** The service in front, which is an API to the shop and a client of `stock`. */
const orders = new Hono<GuardEnv>()
const stockClient = clientOf('orders', STOCK, 'stock.read')
const metadata = resourceMetadata({
  resource: ORDERS,
  authorization_servers: [ISSUER],
  scopes_supported: ['orders.read'],
  dpop_bound_access_tokens_required: true,
})
orders.get('/.well-known/oauth-protected-resource', async (c) => (await metadata.respond(c.req.raw)) ?? c.notFound())
orders.use(honoGuard(guardOf(ORDERS), { scope: 'orders.read' }))
orders.get('/orders/:id', async (c) => {
  // `stock` learns that `orders` asks. To tell it for whom, exchange the token of this request for one whose `act` is `orders`
  // (RFC 8693), and let `stock` name `orders` in `actors`.
  const item = await stockClient.fetch(`${STOCK}/items/4711`)
  if (!item.ok) return c.json({ error: 'the stock is not known' }, 502)
  return c.json({ id: c.req.param('id'), ordered_by: c.get('token').clientId, item: await item.json() })
})

/** The shop: `await shop.fetch('https://orders.example.com/orders/7')`. */
export const shop = clientOf('shop', ORDERS, 'orders.read')

export default { fetch: network }
