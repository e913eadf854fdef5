/** oidc-provider as the issuer of workloads' tokens: JWT access tokens that it issues to its own clients. */

import { after } from 'node:test'
import { runToEnd } from '../../bench/child.ts'
import { startServer } from '../support/process.ts'
import { presentAssertions } from './assertions.ts'
import { type Platform, prove, untilExpired } from './prove.ts'
import { ISSUER } from './servers.ts'

const UPSTREAM = 'https://login.example'
const CLIENT_SECRET = 'secret-of-a-client-of-the-upstream-issuer'
/** Lifetimes of the tokens of its clients, in seconds. */
const CLIENTS = JSON.stringify({ deployer: 600, other: 600, brief: 1 })

await runToEnd('npm', ['ci', '--prefix', 'bench/peers/oidc-provider', '--no-audit', '--no-fund'])

interface Upstream {
  readonly jwks: object
  issue(client_id: string, resource?: string): Promise<string>
}

/** Starts an oidc-provider with a key of its own. */
async function startUpstream(): Promise<Upstream> {
  const { origin, stop } = await startServer((port) => ({
    command: 'exec node bench/peers/oidc-provider/upstream.js',
    environment: { ISSUER: UPSTREAM, CLIENTS, CLIENT_SECRET, PORT: `${port}` },
    isSilent: true,
  }))
  after(stop)
  return {
    jwks: (await (await fetch(`${origin}/jwks`)).json()) as object,
    async issue(client_id, resource = ISSUER) {
      const form = { grant_type: 'client_credentials', client_id, client_secret: CLIENT_SECRET, resource }
      const response = await fetch(`${origin}/token`, { method: 'POST', body: new URLSearchParams(form) })
      const { access_token } = (await response.json()) as { access_token: string }
      return access_token
    },
  }
}

const upstream = await startUpstream()
const brief = await upstream.issue('brief')
const token = await upstream.issue('deployer')
await untilExpired(brief)

// Its address is a private one, from which no keys are fetched. Its access tokens have a type of their own.
const record = { jwks: upstream.jwks, token_types: ['at+jwt'] }
const foreign = await upstream.issue('deployer', 'https://api.example')
const forged = await (await startUpstream()).issue('deployer')

const platform: Platform = {
  issuer: UPSTREAM,
  record,
  method: 'federated_jwt',
  claims: { sub: ['deployer', 'brief'] },
  accepted: [
    ['an access token of a client', token],
    ['the same token again', token],
  ],
  refused: [
    ['a token of another client', await upstream.issue('other'), 'federation_no_rule'],
    ['a token that has expired', brief, 'assertion_expired'],
    ['a token for another audience', foreign, 'assertion_aud_wrong'],
    ['a token of an issuer of the same name', forged, 'assertion_key_unknown'],
  ],
}

const assertions = {
  ...{ issuer: UPSTREAM, record, good: token, subject: 'deployer' },
  bad: [
    ['a token that has expired', brief, 'assertion_expired'],
    ['a token for another audience', foreign, 'assertion_aud_wrong'],
    ['a token of an issuer of the same name', forged, 'assertion_key_unknown'],
  ],
} as const

prove('oidc-provider', platform, (started) => presentAssertions(started, assertions))
