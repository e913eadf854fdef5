import assert from 'node:assert/strict'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { describe, test } from '#test'
import { createWorld, ISSUER, NOW, type World } from '../support/world.ts'
import type { TokenCase } from './cases.ts'
import { clientAuthentication } from './client_authentication.ts'
import { grants } from './grant.ts'
import { request } from './request.ts'

const world = createWorld()
const encode = (text: string) => new URLSearchParams([['', text]]).toString().slice(1)
const octets = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0))

function toRequest(given: TokenCase): Request {
  const { method = 'POST', path = '/token', basic, rawBasic, form = [] } = given
  const pair = rawBasic ?? basic?.map(encode).join(':')
  const headers = new Headers({ 'Content-Type': 'application/x-www-form-urlencoded' })
  if (pair !== undefined) headers.set('Authorization', `Basic ${btoa(pair)}`)
  for (const [name, value] of Object.entries(given.headers ?? {})) headers.set(name, value)
  const body =
    given.body === undefined ? new URLSearchParams(form.map(([...pair]) => pair)).toString() : octets(given.body)
  return new Request(ISSUER + path, { method, headers, ...(method === 'POST' && { body }) })
}

async function checkSuccess({ expect }: TokenCase, response: Response, { keyring }: World): Promise<void> {
  assert.ok(expect.status === 200)
  const text = await response.text()
  const body = JSON.parse(text)
  assert.deepEqual(Object.keys(body), ['access_token', 'expires_in', 'scope', 'token_type'])
  assert.equal(body.token_type, 'bearer')
  assert.equal(body.expires_in, expect.expires_in ?? 1800)
  assert.equal(body.scope, expect.scope ?? '')
  const audience = expect.aud ?? ISSUER
  const { payload } = await jwtVerify(
    body.access_token,
    createLocalJWKSet({ keys: [...keyring.at(NOW).published.keys] }),
    {
      issuer: ISSUER,
      audience: [audience].flat(),
      typ: 'at+jwt',
      algorithms: ['RS256'],
      currentDate: new Date(NOW * 1000),
    },
  )
  assert.deepEqual(payload.aud, audience)
  assert.equal(payload['scope'], body.scope === '' ? undefined : body.scope)
  assert.equal(payload.exp, NOW + body.expires_in)
}

async function checkRefusal(given: TokenCase, response: Response, { events }: World): Promise<void> {
  const { expect, method } = given
  assert.ok(expect.status !== 200)
  if (expect.status === 404) return
  const text = await response.text()
  if (method !== 'HEAD') {
    const body = JSON.parse(text)
    assert.deepEqual(Object.keys(body), ['error', 'error_description'])
    assert.equal(body.error, expect.error)
    assert.match(body.error_description, /^[\x20-\x21\x23-\x5b\x5d-\x7e]{1,200}$/)
  }
  const event = events.at(-1)
  assert.ok(event?.event === 'request_refused')
  assert.equal(event.code, expect.error)
  if (expect.reason !== undefined) assert.equal(event.reason, expect.reason)
  for (const [name, value] of Object.entries(expect.headers ?? {})) assert.equal(response.headers.get(name), value)
  const isChallenged = expect.status === 401 && toRequest(given).headers.has('Authorization')
  assert.equal(response.headers.has('WWW-Authenticate'), isChallenged)
  if (expect.status < 500) assert.equal('cause' in event, false)
  const claimed = given.basic?.[0] ?? given.form?.find(([name]) => name === 'client_id')?.[1]
  if (event.client_id !== undefined && claimed !== undefined) assert.equal(event.client_id, claimed)
  if (['invalid_scope', 'invalid_target', 'unauthorized_client'].includes(event.code)) assert.ok(event.client_id)
}

function checkHeaders(response: Response): void {
  assert.equal(response.headers.get('Content-Type'), 'application/json;charset=UTF-8')
  assert.equal(response.headers.get('Cache-Control'), 'no-store')
  assert.equal(response.headers.get('Pragma'), 'no-cache')
}

for (const [part, cases] of Object.entries({ clientAuthentication, request, grants })) {
  describe(`token endpoint, ${part}`, () => {
    for (const given of cases) {
      test(`${given.name} (${given.see})`, async () => {
        const here = await world
        const response = await here.app.fetch(toRequest(given))
        assert.equal(response.status, given.expect.status)
        if (response.status !== 404) checkHeaders(response)
        const check = given.expect.status === 200 ? checkSuccess : checkRefusal
        await check(given, response, here)
      })
    }
  })
}

describe('token endpoint, the answer to failed authentication', () => {
  test('is the same body for every 401', async () => {
    const { app } = await world
    const failures = clientAuthentication.filter(({ expect }) => expect.status === 401)
    const bodies: string[] = []
    for (const given of failures) bodies.push(await (await app.fetch(toRequest(given))).text())
    assert.ok(failures.length > 20)
    assert.equal(new Set(bodies).size, 1)
  })

  test('no event contains a secret or a token', async () => {
    const { events } = await world
    const told = JSON.stringify(events)
    for (const secret of ['foobar', 'some secure', 'eyJ', '$2']) assert.ok(!told.includes(secret), secret)
  })
})
