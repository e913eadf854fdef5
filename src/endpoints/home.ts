/** `GET /`: a page for people who open the issuer in a browser, and links for programs. */

import { Hono, type Context as HonoContext } from 'hono'
import { accepts } from 'hono/accepts'
import type { Connection } from '../certificates/client_cert.ts'
import { respondWith, securityHeaders } from '../http/respond.ts'
import { below, type Endpoint, type Site, TOKEN_PATH } from './endpoint.ts'
import { HOME_PATH, type HomeOptions, homePage } from './home_page.ts'
import { HOME_SCRIPT } from './home_script.ts'
import { HOME_STYLE } from './home_style.ts'
import { METADATA_PATH } from './metadata.ts'
import { type NamedSchema, objectSchema } from './operation.ts'

/** Not for other hosts below the domain, which may be without TLS. */
const STRICT_TRANSPORT = 'max-age=31536000'

const LINKS: NamedSchema = { name: 'Server', schema: objectSchema(['issuer', 'metadata', 'token_endpoint']) }

/**
 * Returns the endpoint at the issuer itself. The page shows the endpoints that are mounted, the readiness and the public keys;
 * with `tokenForm` it also gets tokens.
 */
export function homeEndpoint(options: HomeOptions): Endpoint {
  return {
    path: HOME_PATH,
    operations: {
      [HOME_PATH]: {
        get: {
          operationId: 'getServer',
          tag: 'Discovery',
          summary: 'Returns where the metadata is; a page for callers that prefer text/html',
          answers: { 200: { schema: LINKS } },
          errors: [],
          example: {
            issuer: 'https://tokens.example.com',
            metadata: 'https://tokens.example.com/.well-known/oauth-authorization-server',
            token_endpoint: 'https://tokens.example.com/token',
          },
        },
      },
    },
    routes: (site) => new Hono<{ Bindings: Connection }>().get('/', (c) => home(c, site, options)),
  }
}

async function home(c: HonoContext, site: Site, options: HomeOptions): Promise<Response> {
  const issuer = site.issuerOf(c.req.url)
  const common = { ...securityHeaders, Vary: 'Accept', 'Cache-Control': 'no-store' }
  const supports = ['application/json', 'text/html']
  const preferred = accepts(c, { header: 'Accept', supports, default: 'application/json' })
  if (preferred !== 'text/html') {
    return respondWith(JSON.stringify(links(issuer)), { ...common, 'Content-Type': 'application/json' })
  }
  return respondWith(await homePage(issuer, site, options), {
    ...common,
    'Content-Type': 'text/html; charset=UTF-8',
    'Content-Security-Policy': await policy(options.tokenForm !== undefined),
    ...(issuer.startsWith('https:') && { 'Strict-Transport-Security': STRICT_TRANSPORT }),
  })
}

function links(issuer: string): Readonly<Record<string, string>> {
  return { issuer, metadata: below(issuer, METADATA_PATH), token_endpoint: below(issuer, TOKEN_PATH) }
}

/**
 * Allows the style of this page and its empty icon, and its script where there is a form. The script sends the form; the browser
 * itself sends none, so that no secret is ever part of a URL.
 */
async function policy(hasForm: boolean): Promise<string> {
  const script = hasForm ? ` script-src ${await hashOf(HOME_SCRIPT)}; connect-src 'self';` : ''
  return `default-src 'none';${script} style-src ${await hashOf(HOME_STYLE)}; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`
}

/** @see {@link https://www.w3.org/TR/CSP3/#grammardef-hash-source CSP3, hash-source} */
async function hashOf(text: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
  return `'sha256-${btoa(String.fromCharCode(...digest))}'`
}
