/** Tokens of a platform, signed by a key of the test, for programs that run beside a real server. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makePair, signToken } from './federation.ts'
import { folder } from './operated_server.ts'

export const GITHUB = 'https://token.actions.githubusercontent.com'

const pair = await makePair('RS256', 'one')

const writeKeys = (name: string, more: object): string => {
  const file = join(folder, name)
  writeFileSync(file, JSON.stringify({ keys: [{ ...pair.publicJwk, ...more }] }))
  return file
}

/** Name of a file with the public keys of each issuer of the test. */
export const keysFile: string = writeKeys('platform-keys.json', {})

/** Name of a file with the same as the bundle of a trust domain. */
export const bundleFile: string = writeKeys('bundle.json', { use: 'jwt-svid' })

/** Signs a token that is good for five minutes, of GitHub if the claims do not name another issuer. */
export function workloadToken(aud: unknown, claims: object = {}, header: object = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  const jti = crypto.randomUUID()
  const usual = { iss: GITHUB, aud, sub: 'repo:octo-org/billing:ref:refs/heads/main', iat: now, exp: now + 300, jti }
  return signToken({ alg: 'RS256', kid: 'one', ...header }, { ...usual, ...claims }, pair.privateKey)
}

/** Writes a token into a file. Returns its name. */
export function tokenFile(name: string, token: string): string {
  const file = join(folder, name)
  writeFileSync(file, `${token}\n`)
  return file
}
