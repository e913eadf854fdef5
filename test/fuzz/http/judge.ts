/** What must be true of every answer. */

import assert from 'node:assert/strict'
import { jwtVerify } from 'jose'
import type { Built } from './requests.ts'
import type { Answer } from './wire.ts'
import { ISSUER, OPERATOR, signing } from './world.ts'

/** Answers of a runtime to what it cannot read, besides those of the server itself. */
const UNSERVED: readonly number[] = [501, 505]

/** Returns the parts of a request as text, its percent-escapes decoded, in one piece. */
function plainOf(octets: string): string {
  return octets.replace(/%([\da-f]{2})/gi, (_match, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

/** Returns the path that a server reads, which the octets may have in another form than the plan. */
function pathOf({ octets, path }: Built): string {
  return plainOf(/^\s*\S+ +(\S+)/.exec(octets)?.[1] ?? path)
}

/** Fails if an answer is not one that its request may have. */
export async function judge(built: Built, { status, body }: Answer): Promise<void> {
  if (status === undefined) {
    assert.ok(!built.isWhole, 'no response to a well-formed request')
    return
  }
  if (built.isUntouched) assert.equal(status, 200, `a valid request is refused: ${body}`)
  if (status === 503) assert.equal((JSON.parse(body) as { error: string }).error, 'temporarily_unavailable')
  else assert.ok(status < 500 || UNSERVED.includes(status), `status ${status}: ${body}`)
  if (status < 200 || status > 299) return
  const plain = plainOf(built.octets + built.unframed)
  if (/^\/(register|resources|issuers)/.test(pathOf(built)))
    assert.ok(plain.includes(OPERATOR), `${status} without the operator's token`)
  if (body.includes('"access_token"')) await judgeToken(built, plain, body)
  if (/"active":\s*true/.test(body)) assert.fail('an active token, although the request holds none')
}

async function judgeToken({ proofs }: Built, plain: string, body: string): Promise<void> {
  const { access_token = '' } = JSON.parse(body) as { access_token?: string }
  if (access_token === '') return
  const { payload } = await jwtVerify(access_token, signing.publicKey, { issuer: ISSUER, typ: 'at+jwt' })
  const proof = proofs.get(String(payload['client_id']))
  assert.ok(
    proof?.every((part) => plain.includes(part)),
    `a token for ${payload['client_id']}, which nothing proves`,
  )
  assert.equal(payload.sub, payload['client_id'])
  for (const scope of String(payload['scope'] ?? '').split(' ')) assert.match(scope, /^(|read|api\.[^*]+)$/)
}
