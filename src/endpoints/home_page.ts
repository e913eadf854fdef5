/** The page at `/`: readiness, endpoints and keys and, in development, a form that gets a token. */

import { html, raw } from 'hono/html'
import type { Keyring, KeySet } from '../keys/keyring.ts'
import { below, type Endpoint, type Site, TOKEN_PATH } from './endpoint.ts'
import { type CheckReadiness, isReadyBy, word } from './health.ts'
import { formSection, type TokenForm } from './home_form.ts'
import { HOME_STYLE } from './home_style.ts'
import { METADATA_PATH } from './metadata.ts'

/** Path of the page, below the issuer. */
export const HOME_PATH = '/'

/** What the page shows. */
export interface HomeOptions {
  readonly keyring: Keyring
  readonly checkReadiness: CheckReadiness
  /** What the form is filled with, for everyone to see: development only. Without it, the page has no form and no script. */
  readonly tokenForm?: TokenForm | undefined
}

type Html = ReturnType<typeof html>

/** Returns the page. */
export async function homePage(issuer: string, site: Site, options: HomeOptions): Promise<string> {
  const { keyring, tokenForm } = options
  const now = site.now()
  const checks = await options.checkReadiness(now)
  const style = html`<style>${raw(HOME_STYLE)}</style>`
  const page = await html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Token server ${issuer}</title>
<link rel="icon" href="data:,">
${style}
</head>
<body>
<main>
<h1>Token server</h1>
<p>This server issues OAuth 2.0 access tokens to machines.</p>
<h2>Issuer</h2>
<p><code>${issuer}</code></p>
<h2>Get a token</h2>
<pre tabindex="0" role="group" aria-label="Command">curl ${below(issuer, TOKEN_PATH)} -u ${tokenForm ? `${tokenForm.clientId}:${tokenForm.clientSecret}` : 'CLIENT_ID:CLIENT_SECRET'} \\
  -d grant_type=client_credentials</pre>
${tokenForm && formSection(issuer, site, keyring, tokenForm)}
${healthSection(checks)}
${keysSection(await keyring.at(now), now)}
${endpointsSection(issuer, site.endpoints)}
</main>
</body>
</html>`
  return page.toString()
}

function healthSection(checks: Readonly<Record<string, boolean>>): Html {
  const isReady = isReadyBy(checks)
  return html`<h2>Health</h2>
<ul>
${row('ready', isReady, isReady ? 'yes' : 'no')}
${Object.entries(checks).map(([name, isGood]) => row(name.replaceAll('_', ' '), isGood, word(isGood)))}
</ul>`
}

function row(name: string, isGood: boolean, text: string): Html {
  return html`<li>${name} <b class="${isGood ? 'good' : 'bad'}">${text}</b></li>\n`
}

function keysSection(set: KeySet, now: number): Html {
  const { keys } = set.published
  return html`<h2>Keys</h2>
<ul>
${keys.map(({ kid = '', alg = '' }) => html`<li><span>${alg} ${stateOf(set, now, kid, alg)}</span> <code>${kid}</code></li>\n`)}
</ul>`
}

function stateOf(set: KeySet, now: number, kid: string, alg: string): Html | string {
  if (set.signing(alg)?.kid === kid) return html`<b class="good">signing</b>`
  const { signsFrom = 0 } = set.verifying(kid) ?? {}
  return signsFrom > now ? `announced, signs from ${new Date(signsFrom * 1000).toISOString()}` : 'retired'
}

function endpointsSection(issuer: string, endpoints: readonly Endpoint[]): Html {
  const others = endpoints.filter(({ path }) => path !== HOME_PATH)
  return html`<h2>Endpoints</h2>
<ul>
<li><a href="${below(issuer, METADATA_PATH)}">metadata</a> <code>${METADATA_PATH}</code></li>
${others.map((each) => html`<li>${linkTo(issuer, each)} <code>${each.path}</code></li>\n`)}
</ul>`
}

/** Returns the name of an endpoint, as a link if everybody may read it. */
function linkTo(issuer: string, { path, metadataMember = path.slice(1), operations }: Endpoint): Html | string {
  const name = metadataMember.replaceAll('_', ' ').replace(/ (endpoint|uri)$/, '')
  const read = operations?.[path]?.['get']
  return read === undefined || read.security ? name : html`<a href="${below(issuer, path)}">${name}</a>`
}
