/**
 * `npm run bench:federated`: tokens per CPU second of the server for a client that proves itself with a platform's RS256 token, which it
 * presents again and again, next to a client of `private_key_jwt` with a new RS256 assertion for each request. Both are clients of one
 * server, loaded alternately. All assertions are signed before, and the store is in memory, which is the least that
 * `private_key_jwt` can cost: each of its assertions leaves a mark.
 *
 *     npm run bench:federated -- node bun     by default Node
 */

import process from 'node:process'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { generateKey } from '../src/keys/key_set.ts'
import type { Running } from '../test/support/process.ts'
import { exitOnSignals } from './child.ts'
import { startPinned, usage } from './servers.ts'
import { median } from './table.ts'

const ROUNDS = 9
const WARM_ROUNDS = 2
const REQUESTS = 2000
const LANES = 16

const ISSUER = 'https://tokens.example'
const CLUSTER = 'https://kubernetes.default.svc.cluster.local'
const OPERATOR = 'operator-token-operator-token-operator'
const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

const COMMANDS: Readonly<Record<string, string>> = {
  node: 'node src/index.ts',
  bun: 'bun run src/index.ts',
  deno: 'deno run --allow-all src/index.ts',
}

exitOnSignals()
const runtimes = process.argv.length > 2 ? process.argv.slice(2) : ['node']
const { privateKey, publicKey } = await generateKeyPair('RS256')
const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256' }] }

const account = { name: 'deployer', uid: '0c1d5c32-8d5a-4c0e-9b0e-3a9b0e7a2f11' }
const pod = { name: 'deployer-7d4b9c-x2x8k', uid: '5f0c7c3e-43e2-4a5e-8f0c-0f6a1f0d9a01' }
/** As Kubernetes makes it for a pod. */
const platformToken = await sign({
  iss: CLUSTER,
  sub: 'system:serviceaccount:prod:deployer',
  jti: crypto.randomUUID(),
  'kubernetes.io': { namespace: 'prod', pod, serviceaccount: account },
})

const own = { iss: 'own-key', sub: 'own-key' }
const ownAssertions: string[] = []
while (ownAssertions.length < runtimes.length * (ROUNDS + WARM_ROUNDS) * REQUESTS)
  ownAssertions.push(await sign({ ...own, jti: crypto.randomUUID() }))

function sign(claims: Readonly<Record<string, unknown>>): Promise<string> {
  const token = new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'one' })
  return token.setAudience(ISSUER).setIssuedAt().setNotBefore('0s').setExpirationTime('55m').sign(privateKey)
}

async function start(runtime: string): Promise<Running> {
  const signingKeys = JSON.stringify({ keys: [await generateKey('ES256')] })
  const settings = { ISSUER, SIGNING_KEYS: signingKeys, REGISTRATION_TOKEN: OPERATOR, STORE_URL: 'memory:' }
  const server = await startPinned((port) => ({
    command: COMMANDS[runtime] ?? '',
    environment: { ...settings, PORT: `${port}` },
  }))
  const put = async (path: string, value: object): Promise<void> => {
    const headers = { Authorization: `Bearer ${OPERATOR}`, 'Content-Type': 'application/json' }
    const response = await fetch(server.origin + path, { method: 'PUT', headers, body: JSON.stringify(value) })
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`)
  }
  await put(`/issuers/${encodeURIComponent(CLUSTER)}`, { preset: 'kubernetes', jwks })
  await put('/register/own-key', { token_endpoint_auth_method: 'private_key_jwt', jwks })
  const claims = { sub: 'system:serviceaccount:prod:deployer' }
  await put('/register/federated', {
    token_endpoint_auth_method: 'federated_jwt',
    federated_credentials: [{ id: 'deployer', issuer: CLUSTER, claims }],
  })
  return server
}

/** Returns the tokens per CPU second of the server for REQUESTS requests. */
async function measure(server: Running, formOf: () => Record<string, string>): Promise<number> {
  const before = usage(server).cpu
  let left = REQUESTS
  const lane = async (): Promise<void> => {
    while (left-- > 0) {
      const form = { grant_type: 'client_credentials', client_assertion_type: JWT_BEARER, ...formOf() }
      const response = await fetch(`${server.origin}/token`, { method: 'POST', body: new URLSearchParams(form) })
      const text = await response.text()
      if (!response.ok) throw new Error(`${response.status} ${text}`)
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  return REQUESTS / (usage(server).cpu - before)
}

for (const runtime of runtimes) {
  const server = await start(runtime)
  const kinds = {
    federated: () => measure(server, () => ({ client_id: 'federated', client_assertion: platformToken })),
    ownKey: () => measure(server, () => ({ client_assertion: ownAssertions.pop() ?? '' })),
  }
  const rounds: { federated: number; ownKey: number; ratio: number }[] = []
  for (let round = -WARM_ROUNDS; round < ROUNDS; round++) {
    // Each is the first in every other round.
    const isTurned = round % 2 !== 0
    const first = await (isTurned ? kinds.ownKey : kinds.federated)()
    const second = await (isTurned ? kinds.federated : kinds.ownKey)()
    const [federated, ownKey] = isTurned ? [second, first] : [first, second]
    if (round < 0) continue
    rounds.push({ federated, ownKey, ratio: federated / ownKey })
    process.stdout.write(`${runtime}, round ${round + 1}: ${lineOf(federated, ownKey)}\n`)
  }
  const { federated, ownKey } = median(rounds, ({ ratio }) => ratio)
  process.stdout.write(`${runtime}, the median round: ${lineOf(federated, ownKey)}\n`)
  await server.stop()
}

function lineOf(federated: number, ownKey: number): string {
  const ratio = (federated / ownKey).toFixed(2)
  return `federated_jwt ${federated.toFixed(0)}, private_key_jwt ${ownKey.toFixed(0)} tokens per CPU second, ratio ${ratio}`
}
