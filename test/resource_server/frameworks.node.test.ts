/** Express and Fastify with real connections, where a header can be sent twice and a client can show a certificate. */

import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import express from 'express'
import fastify from 'fastify'
import { describe, test } from '#test'
import { encodeBase64url } from '../../src/lib/base64url.ts'
import { expressGuard, fastifyGuard, type Guard, type VerifiedToken } from '../../src/resource_server.ts'
import { ca, leaf, self, server as tls } from '../support/certificates.ts'
import { createGuarded, JKT, proveTo } from '../support/guarded.ts'
import { requestWith, type Shown, sendRaw } from '../support/raw_request.ts'

type WithToken = { readonly token?: VerifiedToken }

/** Each serves `/reports/{id}` to tokens with the scope `read`. */
const FRAMEWORKS: Readonly<Record<string, (guard: Guard) => Promise<RequestListener>>> = {
  async express(guard) {
    const reports = express.Router()
    reports.get('/:id', (request, response) => {
      response.end((request as WithToken).token?.subject)
    })
    return express().use('/reports', expressGuard(guard, { scope: 'read' }), reports)
  },
  async fastify(guard) {
    const app = fastify()
    app.get(
      '/reports/:id',
      { onRequest: fastifyGuard(guard, { scope: 'read' }) },
      async (request) => (request as WithToken).token?.subject,
    )
    await app.ready()
    return (incoming, outgoing) => app.routing(incoming, outgoing)
  },
}

async function listening(server: Server): Promise<{ readonly port: number; stop(): void }> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const stop = () => {
    server.closeAllConnections()
    server.close()
  }
  return { port: (server.address() as AddressInfo).port, stop }
}

for (const [name, make] of Object.entries(FRAMEWORKS)) {
  describe(`${name} with a guard`, () => {
    test('lets a request pass with its token, and answers others', async () => {
      const { guard, sign } = await createGuarded()
      const { port, stop } = await listening(createServer(await make(guard)))
      const send = async (headers: HeadersInit) => {
        const response = await fetch(`http://127.0.0.1:${port}/reports/7?a=1`, { headers })
        return [response.status, await response.text(), response.headers.get('WWW-Authenticate')?.slice(0, 32)]
      }
      assert.deepEqual(await send({ Authorization: `Bearer ${await sign()}` }), [200, 'reporting', undefined])
      assert.deepEqual(await send({}), [401, '', 'Bearer, DPoP algs="ES256 ES384 E'])
      const poor = { Authorization: `Bearer ${await sign({ claims: { scope: 'write' } })}` }
      assert.deepEqual(await send(poor), [403, '', 'Bearer error="insufficient_scope'])
      stop()
    })

    test('refuses two Authorization headers, of which Node shows one', async () => {
      const { guard, sign, events } = await createGuarded()
      const { port, stop } = await listening(createServer(await make(guard)))
      const line = `Authorization: Bearer ${await sign()}`
      assert.equal(await sendRaw(port, ['GET /reports/7 HTTP/1.1', 'Host: api', line]), 200)
      assert.equal(await sendRaw(port, ['GET /reports/7 HTTP/1.1', 'Host: api', line, line]), 400)
      const last = events.at(-1)
      assert.equal(last?.event === 'request_refused' && last.reason, 'credentials_malformed')
      stop()
    })

    test('checks proofs against the URL that the client sent, and sends the next nonce', async () => {
      const { guard, sign } = await createGuarded({
        dpop: { nonceSecret: 'a secret of the API, shared by its processes' },
      })
      const { port, stop } = await listening(createServer(await make(guard)))
      const htu = `http://127.0.0.1:${port}/reports/7`
      const token = await sign({ claims: { cnf: { jkt: JKT } } })
      const send = async (claims: object) =>
        fetch(`${htu}?a=1`, {
          headers: { Authorization: `DPoP ${token}`, DPoP: await proveTo(token, { claims: { htu, ...claims } }) },
        })
      const nonce = (await send({})).headers.get('DPoP-Nonce')
      const good = await send({ nonce })
      assert.deepEqual([good.status, good.headers.get('DPoP-Nonce')], [200, nonce])
      assert.equal((await send({ nonce, htu: `http://127.0.0.1:${port}/7` })).status, 401)
      stop()
    })

    test('checks the certificate of the connection', async () => {
      const { guard, sign } = await createGuarded()
      const options = {
        key: tls.key,
        cert: tls.certificate,
        ca: ca.certificate,
        requestCert: true,
        rejectUnauthorized: false,
      }
      const { port, stop } = await listening(createTlsServer(options, await make(guard)))
      const bound = async ({ certificate }: { readonly certificate: string }) => {
        const digest = await crypto.subtle.digest('SHA-256', new Uint8Array(new X509Certificate(certificate).raw))
        return sign({ claims: { cnf: { 'x5t#S256': encodeBase64url(new Uint8Array(digest)) } } })
      }
      const ask = (token: string, shown?: Shown) =>
        requestWith(shown, `https://localhost:${port}/reports/7`, { Authorization: `Bearer ${token}` })
      const token = await bound(leaf)
      assert.equal(await ask(token, leaf), 200)
      assert.equal(await ask(token), 401)
      assert.equal(await ask(token, self), 401)
      // Node has not verified it, so nothing says whose it is.
      assert.equal(await ask(await bound(self), self), 401)
      stop()
    })
  })
}

describe('express with a guard', () => {
  test('hands on an error that is not the request’s', async () => {
    const failing: Guard = () => Promise.reject(new Error('a defect'))
    const errors: unknown[] = []
    const request = { method: 'GET', url: '/', rawHeaders: [], socket: {} }
    const response = { statusCode: 0, setHeader: () => undefined, end: () => undefined }
    await expressGuard(failing)(request, response, (error) => errors.push(error))
    assert.match(String(errors), /a defect/)
  })
})
