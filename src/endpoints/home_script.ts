/**
 * The script of the page at `/`, in development only. It writes text and never markup, because what it shows comes from elsewhere.
 * The policy of the page allows it by its hash.
 */
export const HOME_SCRIPT: string = `
const form = document.querySelector('form')
const at = (id) => document.getElementById(id)
const octets = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (each) => each.charCodeAt(0))
const parse = (text) => JSON.parse(new TextDecoder().decode(octets(text)))
const say = (text, state) => {
  at('status').textContent = text
  at('status').className = state
}

async function isVerified(token, { kid, alg }) {
  const { keys } = await (await fetch(form.dataset.jwks, { cache: 'no-store' })).json()
  const jwk = keys.find((key) => key.kid === kid && key.alg === alg)
  const way = { hash: 'SHA-256', namedCurve: jwk.crv, ...JSON.parse(form.dataset.signing)[alg] }
  const key = await crypto.subtle.importKey('jwk', jwk, way, false, ['verify'])
  const end = token.lastIndexOf('.')
  return crypto.subtle.verify(way, key, octets(token.slice(end + 1)), new TextEncoder().encode(token.slice(0, end)))
}

async function show(token) {
  const [header, claims] = token.split('.').slice(0, 2).map(parse)
  at('header').textContent = JSON.stringify(header, null, 2)
  at('claims').textContent = JSON.stringify(claims, null, 2)
  at('token').textContent = token
  at('result').hidden = false
  if (await isVerified(token, header).catch(() => false)) say('Token issued, signature verified', 'good')
  else say('Token issued, signature not verified by the keys of the server', 'bad')
}

async function send() {
  const body = new URLSearchParams({ grant_type: 'client_credentials' })
  for (const [name, value] of new FormData(form)) if (value) body.append(name, value)
  const answer = await (await fetch(form.dataset.token, { method: 'POST', body })).json()
  if (answer.error) say(answer.error + ': ' + answer.error_description, 'bad')
  else await show(answer.access_token)
}

let isBusy = false
form.addEventListener('submit', async (event) => {
  event.preventDefault()
  if (isBusy) return
  isBusy = true
  at('result').hidden = true
  say('Requesting a token', '')
  await send().catch((error) => say('No answer: ' + error.message, 'bad'))
  isBusy = false
})
`
