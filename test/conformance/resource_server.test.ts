import assert from 'node:assert/strict'
import { describe, test } from '#test'
import { API, createGuarded, proveTo } from '../support/guarded.ts'
import { createRevocable } from '../support/revocable.ts'
import { type GuardCase, guardCases } from './resource_server.ts'

const shared = createRevocable()

async function toRequest(given: GuardCase, token: string): Promise<Request> {
  const { authorization = (text: string) => `${given.proof || given.dpopHeader ? 'DPoP' : 'Bearer'} ${text}` } = given
  const headers = new Headers()
  const value = authorization(token)
  if (value !== undefined) headers.set('Authorization', value)
  const proof = given.dpopHeader ?? (given.proof && (await proveTo(token, given.proof)))
  if (proof !== undefined) headers.set('DPoP', proof)
  return new Request(given.url ?? API, { method: given.method ?? 'GET', headers })
}

for (const [part, cases] of Object.entries(guardCases)) {
  describe(`a protected API, ${part}`, () => {
    for (const given of cases) {
      const { expect, change = (token: string) => token } = given
      test(`${expect.status}: ${given.name} (${given.see})`, async () => {
        const { sign, guard, events } = await createGuarded(given.options, await shared)
        const token = change(await sign(given.token))
        const result = await guard(await toRequest(given, token), given.demands)
        if (!('reason' in expect)) {
          assert.ok(!(result instanceof Response), JSON.stringify(events))
          assert.equal(result.subject, 'reporting')
          assert.deepEqual(events, [])
          return
        }
        assert.ok(result instanceof Response)
        assert.equal(result.status, expect.status)
        const event = events.at(-1)
        assert.ok(event?.event === 'request_refused')
        assert.equal(event.reason, expect.reason)
        assert.equal(result.headers.get('Cache-Control'), 'no-store')
        const challenge = result.headers.get('WWW-Authenticate') ?? ''
        if (expect.challenge?.includes('error=')) assert.ok(challenge.startsWith(expect.challenge), challenge)
        else if (expect.challenge !== undefined) assert.equal(challenge, expect.challenge)
        assert.equal(challenge.includes('error='), expect.reason !== 'credentials_missing', challenge)
        assert.ok(!JSON.stringify(events).includes(token.slice(0, 20)), 'an event quotes the token')
      })
    }
  })
}
