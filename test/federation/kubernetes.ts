/** Service account tokens made by Kubernetes' own generator, and the key set that its API server publishes for them. */

import { execFileSync } from 'node:child_process'
import { kubetoken } from './programs.ts'
import { prove } from './prove.ts'
import { ISSUER } from './servers.ts'

const CLUSTER = 'https://kubernetes.default.svc.cluster.local'

const deployer = {
  namespace: 'prod',
  name: 'deployer',
  uid: '0c1d5c32-8d5a-4c0e-9b0e-3a9b0e7a2f11',
  pod: 'deployer-7d4b9c-x2x8k',
  audiences: [ISSUER],
  lifetimeSeconds: 3607,
}

const HOUR = 3600

const ASKED = {
  good: deployer,
  unbound: { ...deployer, pod: '' },
  otherNamespace: { ...deployer, namespace: 'dev' },
  otherAccount: { ...deployer, name: 'deployer2' },
  madeAgain: { ...deployer, uid: '5c1d5c32-8d5a-4c0e-9b0e-3a9b0e7a2f22' },
  expired: { ...deployer, lifetimeSeconds: 600, ageSeconds: HOUR / 2 },
  old: { ...deployer, lifetimeSeconds: 24 * HOUR, ageSeconds: 2 * HOUR },
  otherAudience: { ...deployer, audiences: [CLUSTER] },
  twoAudiences: { ...deployer, audiences: [ISSUER, CLUSTER] },
} as const

type Name = keyof typeof ASKED

interface Cluster {
  readonly tokens: Readonly<Record<Name, string>>
  readonly jwks: object
}

/** Returns tokens and keys of a new cluster. */
function cluster(alg: 'RS256' | 'ES256', issuer: string = CLUSTER): Cluster {
  const input = JSON.stringify({ issuer, alg, tokens: Object.values(ASKED) })
  const made = JSON.parse(execFileSync(program, { input, encoding: 'utf8' }))
  const names = Object.keys(ASKED) as Name[]
  const tokens = Object.fromEntries(names.map((name, index) => [name, made.Tokens[index]])) as Cluster['tokens']
  return { tokens, jwks: made.Jwks }
}

const program = kubetoken()

for (const alg of ['RS256', 'ES256'] as const) {
  const { tokens, jwks } = cluster(alg)
  prove(`Kubernetes ${alg}`, {
    issuer: CLUSTER,
    record: { preset: 'kubernetes', jwks },
    method: 'federated_jwt',
    claims: { sub: 'system:serviceaccount:prod:deployer', '/kubernetes.io/serviceaccount/uid': deployer.uid },
    accepted: [
      ['the token of a pod', tokens.good],
      ['the same token again', tokens.good],
      ['a token that is bound to no pod', tokens.unbound],
    ],
    refused: [
      ['another namespace', tokens.otherNamespace, 'federation_no_rule'],
      ['another service account', tokens.otherAccount, 'federation_no_rule'],
      ['a service account that was made again', tokens.madeAgain, 'federation_no_rule'],
      ['a token that has expired', tokens.expired, 'assertion_expired'],
      ['a token that is too old', tokens.old, 'assertion_too_old'],
      ['a token for another audience', tokens.otherAudience, 'assertion_aud_wrong'],
      ['a token for two audiences', tokens.twoAudiences, 'assertion_aud_wrong'],
      [
        'the same account of another cluster',
        cluster(alg, 'https://c2.example').tokens.good,
        'federation_issuer_unknown',
      ],
      ['a cluster of the same name', cluster(alg).tokens.good, 'assertion_key_unknown'],
    ],
  })
}
