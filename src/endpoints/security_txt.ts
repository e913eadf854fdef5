/** `GET /.well-known/security.txt`: where to report a vulnerability of this deployment. */

import { Hono } from 'hono'
import type { Connection } from '../certificates/client_cert.ts'
import { publicText, publish } from '../http/public_document.ts'
import type { Endpoint } from './endpoint.ts'
import type { NamedSchema } from './operation.ts'

const PATH = '/.well-known/security.txt'
const TYPE = 'text/plain; charset=utf-8'

const DAY_SECONDS = 24 * 60 * 60

/** RFC 9116 §2.5.5 recommends less than a year. */
const VALID_DAYS = 180

const FILE: NamedSchema = { name: 'SecurityTxt', schema: { type: 'string' } }

/**
 * Returns the endpoint that names the contacts. A caller looks for it at the root of the host.
 *
 * @param contacts `mailto:`, `https:` or `tel:` URIs, the preferred one first
 * @see {@link https://www.rfc-editor.org/rfc/rfc9116#section-2.5 RFC 9116 §2.5}
 */
export function securityTxtEndpoint(contacts: readonly string[]): Endpoint {
  return {
    path: PATH,
    operations: {
      [PATH]: {
        get: {
          operationId: 'getSecurityTxt',
          tag: 'Discovery',
          summary: 'Returns where to report a vulnerability, RFC 9116',
          answers: { 200: { type: TYPE, schema: FILE } },
          errors: [],
          example: 'Contact: mailto:security@example.com\nExpires: 2027-01-01T00:00:00.000Z\nPreferred-Languages: en\n',
        },
      },
    },
    routes({ issuerOf, now }) {
      const respond = publicText(TYPE)
      const app = new Hono<{ Bindings: Connection }>()
      publish(app, '/', (c) => respond(fileOf(contacts, new URL(issuerOf(c.req.url)).origin, now())))
      return app
    },
  }
}

/** The same for a whole day, so that caches can revalidate it. */
function fileOf(contacts: readonly string[], origin: string, now: number): string {
  const expiresAt = (Math.floor(now / DAY_SECONDS) + VALID_DAYS) * DAY_SECONDS
  const lines = [
    ...contacts.map((contact) => `Contact: ${contact}`),
    `Expires: ${new Date(expiresAt * 1000).toISOString()}`,
    'Preferred-Languages: en',
    // RFC 9116 §2.5.2 allows https only.
    ...(origin.startsWith('https:') ? [`Canonical: ${origin}${PATH}`] : []),
  ]
  return `${lines.join('\n')}\n`
}
