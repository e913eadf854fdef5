/** The form of the page at `/` that gets a token, decodes and verifies it. In development only. */

import { html, raw } from 'hono/html'
import { ALGORITHMS } from '../keys/algorithms.ts'
import type { Keyring } from '../keys/keyring.ts'
import { below, type Site, TOKEN_PATH } from './endpoint.ts'
import { HOME_SCRIPT } from './home_script.ts'

/** The values that the form is filled with. */
export interface TokenForm {
  readonly clientId: string
  readonly clientSecret: string
  readonly scope: string
}

/** Returns the form, the place for its result, and the script that sends it. */
export function formSection(
  issuer: string,
  { endpoints }: Site,
  keyring: Keyring,
  filled: TokenForm,
): ReturnType<typeof html> {
  const jwks = endpoints.find(({ metadataMember }) => metadataMember === 'jwks_uri')?.path ?? ''
  // What crypto.subtle needs to verify, so that the script knows no algorithm by itself.
  const signing = Object.fromEntries(keyring.algorithms.map((alg) => [alg, ALGORITHMS.get(alg)?.signing]))
  const script = html`<script type="module">${raw(HOME_SCRIPT)}</script>`
  return html`<form method="post" data-token="${below(issuer, TOKEN_PATH)}" data-jwks="${below(issuer, jwks)}" data-signing="${JSON.stringify(signing)}">
${field('client_id', filled.clientId)}
${field('client_secret', filled.clientSecret)}
${field('scope', filled.scope)}
${field('resource', '')}
<button>Get a token</button>
<noscript>The form needs JavaScript.</noscript>
</form>
<p id="status" role="status"></p>
<div id="result" hidden>
${part('header', 'Header')}
${part('claims', 'Claims')}
${part('token', 'Access token')}
</div>
${script}`
}

function field(name: string, value: string): ReturnType<typeof html> {
  return html`<label>${name}<input name="${name}" value="${value}" autocomplete="off" autocapitalize="none" spellcheck="false"></label>\n`
}

function part(id: string, title: string): ReturnType<typeof html> {
  return html`<h3 id="${id}-title">${title}</h3>
<pre id="${id}" tabindex="0" role="group" aria-labelledby="${id}-title"></pre>\n`
}
