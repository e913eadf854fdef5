/** JWT-SVIDs of a server and an agent of SPIRE, also while its signing key is rotated. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeProtectedHeader } from 'jose'
import { type Accepted, prove, requireAccepted, requireRefused, trust, untilExpired } from './prove.ts'
import { ISSUER } from './servers.ts'
import { eventually, type Spire, startSpire } from './spire_server.ts'

const DOMAIN = 'spiffe://example.org'
const DEPLOYER = `${DOMAIN}/ns/prod/sa/deployer`
const OTHER = `${DOMAIN}/ns/dev/sa/deployer`
const STRANGER = 'spiffe://other.example/ns/prod/sa/deployer'

/** What the operator and a workload have at each step of a rotation. */
async function rotated(spire: Spire, fetchSvid: () => Promise<string>) {
  const authority = async (command: string, ...options: readonly string[]) =>
    JSON.parse(await spire.command(`localauthority jwt ${command}`, '-output', 'json', ...options))
  const before = { svid: await fetchSvid(), bundle: await spire.bundle() }
  const { active: old } = await authority('show')
  const { prepared_authority: next } = await authority('prepare')
  await authority('activate', '-authorityID', next.authority_id)
  const during = { bundle: await spire.bundle() }
  await authority('taint', '-authorityID', old.authority_id)
  const svid = await eventually(async () => {
    const fetched = await fetchSvid()
    assert.equal(decodeProtectedHeader(fetched).kid, next.authority_id)
    return fetched
  })
  await authority('revoke', '-authorityID', old.authority_id)
  return { before, during, after: { svid, bundle: await spire.bundle() } }
}

/** Starts the servers and an agent, and collects what is presented to edgemint. */
async function prepare(keyType: string) {
  const spire = await startSpire('example.org', keyType)
  const agent = await spire.startAgent([DEPLOYER, OTHER])
  const fetchSvid = (): Promise<string> => agent.fetch(DEPLOYER, ISSUER)
  const brief = await spire.mint(DEPLOYER, [ISSUER], '1s')
  const svid = await fetchSvid()
  const accepted: readonly Accepted[] = [
    ['the JWT-SVID that the agent hands out', svid],
    ['what it hands out the second time', await fetchSvid()],
    ['a JWT-SVID that the server mints', await spire.mint(DEPLOYER, [ISSUER])],
  ]
  const other = await agent.fetch(OTHER, ISSUER)
  const otherAudience = await agent.fetch(DEPLOYER, 'https://api.example')
  const twoAudiences = await spire.mint(DEPLOYER, [ISSUER, 'https://api.example'])
  const sameName = await (await startSpire('example.org', keyType)).mint(DEPLOYER, [ISSUER])
  const stranger = await (await startSpire('other.example', keyType)).mint(STRANGER, [ISSUER])
  const { before, during, after } = await rotated(spire, fetchSvid)
  await untilExpired(brief)
  return { keyType, accepted, other, brief, otherAudience, twoAudiences, stranger, sameName, before, during, after }
}

const KEY_TYPES = ['ec-p256', 'rsa-2048']

// Everything is there before the first test begins: the processes end when no test is left.
for (const prepared of await Promise.all(KEY_TYPES.map(prepare))) {
  const { keyType, accepted, before, during, after } = prepared
  const platform = { issuer: DOMAIN, method: 'spiffe_jwt', claims: { sub: DEPLOYER } } as const
  prove(
    `SPIRE ${keyType}`,
    {
      ...platform,
      record: { preset: 'spiffe', jwks: before.bundle },
      accepted,
      refused: [
        ['another SPIFFE ID', prepared.other, 'federation_no_rule'],
        ['a JWT-SVID that has expired', prepared.brief, 'assertion_expired'],
        ['a JWT-SVID for another audience', prepared.otherAudience, 'assertion_aud_wrong'],
        ['a JWT-SVID for two audiences', prepared.twoAudiences, 'assertion_aud_wrong'],
        ['another trust domain', prepared.stranger, 'federation_issuer_unknown'],
        ['a trust domain of the same name', prepared.sameName, 'assertion_key_unknown'],
        ['a key that is not yet in the bundle', after.svid, 'assertion_key_unknown'],
      ],
    },
    (started) => {
      test('accepts both keys during a rotation, and the new one alone after it', async () => {
        const server = started()
        await trust(server, DOMAIN, { preset: 'spiffe', jwks: during.bundle })
        await requireAccepted(server, platform, before.svid)
        await requireAccepted(server, platform, after.svid)
        await trust(server, DOMAIN, { preset: 'spiffe', jwks: after.bundle })
        await requireAccepted(server, platform, after.svid)
        await requireRefused(server, platform, before.svid, 'assertion_key_unknown')
      })
    },
  )
}
