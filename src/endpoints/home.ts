/** `GET /`: a page for people who open the issuer in a browser, and links for programs. */

import { Hono, type Context as HonoContext } from 'hono'
import { accepts } from 'hono/accepts'
import { html, raw } from 'hono/html'
import type { Connection } from '../certificates/client_cert.ts'
import type { Keyring } from '../keys/keyring.ts'
import { below, type Endpoint, type Site, TOKEN_PATH } from './endpoint.ts'
import { HOME_STYLE } from './home_style.ts'
import { METADATA_PATH } from './metadata.ts'
import { type NamedSchema, objectSchema } from './operation.ts'

const PATH = '/'

const LINKS: NamedSchema = { name: 'Server', schema: objectSchema(['issuer', 'metadata', 'token_endpoint']) }

/** Returns the endpoint at the issuer itself. The page shows the endpoints that are mounted, and the public keys. */
export function homeEndpoint(keyring: Keyring): Endpoint {
  return {
    path: PATH,
    operations: {
      [PATH]: {
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
    routes: (site) => new Hono<{ Bindings: Connection }>().get('/', (c) => home(c, site, keyring)),
  }
}

async function home(c: HonoContext, site: Site, keyring: Keyring): Promise<Response> {
  const issuer = site.issuerOf(c.req.url)
  c.header('Vary', 'Accept')
  c.header('Cache-Control', 'no-store')
  const supports = ['application/json', 'text/html']
  const preferred = accepts(c, { header: 'Accept', supports, default: 'application/json' })
  if (preferred !== 'text/html') return c.json(links(issuer))
  c.header('Content-Security-Policy', await policy())
  c.header('X-Content-Type-Options', 'nosniff')
  c.header('Referrer-Policy', 'no-referrer')
  return c.html(page(issuer, site, keyring))
}

function links(issuer: string): Readonly<Record<string, string>> {
  return { issuer, metadata: below(issuer, METADATA_PATH), token_endpoint: below(issuer, TOKEN_PATH) }
}

/** Allows the style of this page and its empty icon, and nothing else: no script, no form, no frame, no other origin. */
async function policy(): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(HOME_STYLE)))
  const hash = btoa(String.fromCharCode(...digest))
  return `default-src 'none'; style-src 'sha256-${hash}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`
}

function page(issuer: string, site: Site, keyring: Keyring): ReturnType<typeof html> {
  const now = site.now()
  const keys = keyring.publishedAt(now).keys
  const isSigning = (kid = '', alg = '') => keyring.signingAt(now, alg)?.kid === kid
  const isReady = keyring.signingAt(now) !== undefined
  const style = html`<style>${raw(HOME_STYLE)}</style>`
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${issuer}</title>
<link rel="icon" href="data:,">
${style}
</head>
<body>
<main>
<h1>Token server</h1>
<p>This server issues OAuth 2.0 access tokens to machines. ${isReady ? '' : 'No key signs yet.'}</p>
<h2>Issuer</h2>
<p><code>${issuer}</code></p>
<h2>Get a token</h2>
<pre tabindex="0">curl ${below(issuer, TOKEN_PATH)} -u CLIENT_ID:CLIENT_SECRET \\
  -d grant_type=client_credentials</pre>
<h2>Endpoints</h2>
<ul>
<li><a href="${below(issuer, METADATA_PATH)}">metadata</a> <code>${METADATA_PATH}</code></li>
${site.endpoints
  .filter(({ path }) => path !== PATH)
  .map(({ path, metadataMember }) => html`<li>${nameOf(path, metadataMember)} <code>${path}</code></li>\n`)}
</ul>
<h2>Keys</h2>
<ul>
${keys.map(({ kid, alg }) => html`<li>${alg} ${isSigning(kid, alg) ? 'signing' : 'published'} <code>${kid}</code></li>\n`)}
</ul>
</main>
</body>
</html>`
}

function nameOf(path: string, metadataMember = path.replace(/^\//, '')): string {
  return metadataMember.replaceAll('_', ' ').replace(/ (endpoint|uri)$/, '')
}
