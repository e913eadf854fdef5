/** The blocks of docs/resource-servers.md for nginx, HAProxy and Apache, in front of an API. */

import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { makeProver } from '../../src/client/prover.ts'
import { startServer } from '../support/process.ts'
import { AUDIENCE, blockOf, ISSUER, publicJwk, refused, server, sign, startApi } from './world.ts'

const folder = mkdtempSync(join(tmpdir(), 'edgemint-gateways-'))
const api = await startApi()
const JWKS = `${ISSUER}/.well-known/jwks.json`

/** Starts a gateway whose configuration the page has. */
async function startGateway(
  command: (file: string) => string,
  configuration: (port: number) => string,
): Promise<string> {
  const { origin, stop } = await startServer((port) => {
    const file = join(folder, `${port}.conf`)
    writeFileSync(file, configuration(port))
    return { command: `exec ${command(file)}`, isSilent: true }
  })
  after(stop)
  return origin
}

/** The service that nginx asks, as the page shows it. */
async function startVerifier(): Promise<string> {
  const module = blockOf('ts', "verify.get('/verify'", {
    'edgemint/resource-server': pathToFileURL('src/resource_server.ts').href,
    'issuer, audience': `issuer: '${ISSUER}', audience: '${AUDIENCE}', metadata: { jwks_uri: '${server.origin}/.well-known/jwks.json' }`,
  })
  // In the checkout, where its packages are found; Git ignores the folder.
  mkdirSync('.wrangler', { recursive: true })
  const file = join('.wrangler', `verifier-${process.pid}.ts`)
  writeFileSync(file, module)
  after(() => rmSync(file))
  const { origin, stop } = await startServer((port) => ({
    command: `exec node bench/on_node.ts ${file}`,
    environment: { PORT: `${port}` },
    isSilent: true,
  }))
  after(stop)
  return origin
}

async function ask(origin: string, token?: string, headers: Record<string, string> = {}) {
  const Authorization = token === undefined ? undefined : `Bearer ${token}`
  const response = await fetch(`${origin}/reports?a=1`, {
    headers: { ...(Authorization && { Authorization }), ...headers },
  })
  return {
    status: response.status,
    text: await response.text(),
    challenge: response.headers.get('WWW-Authenticate') ?? '',
  }
}

/** @param unchecked what this gateway does not look at, which the page says */
function checks(origin: string, unchecked: readonly string[] = []): void {
  test('lets a token pass', async () => {
    const { status, text } = await ask(origin, await sign())
    assert.deepEqual([status, text.slice(0, 2)], [200, 'in'])
  })

  test('refuses a request without a token', async () => {
    const { status, challenge } = await ask(origin)
    assert.equal(status, 401)
    assert.match(challenge, /^Bearer/)
  })

  for (const [name, making] of Object.entries(refused)) {
    test(`${unchecked.includes(name) ? 'does not look at' : 'refuses'} a token of ${name}`, async () => {
      const { status } = await ask(origin, await sign(making))
      assert.equal(status, unchecked.includes(name) ? 200 : 401)
    })
  }
}

describe('nginx', async () => {
  const verifier = await startVerifier()
  const origin = await startGateway(
    (file) => `nginx -e stderr -g 'daemon off; pid ${file}.pid;' -c ${file}`,
    (port) => {
      const block = blockOf('nginx', 'auth_request', {
        'listen 8081': `listen ${port}`,
        'http://127.0.0.1:3000': `http://127.0.0.1:${api}`,
        'http://127.0.0.1:3001': verifier.replace('localhost', '127.0.0.1'),
      })
      const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
        (kind) => `${kind}_temp_path ${folder}/${kind};`,
      )
      return `error_log stderr;\nevents {}\nhttp { access_log off; ${places.join(' ')}\n${block}\n}\n`
    },
  )
  checks(origin)

  test('names the subject to the API', async () => {
    assert.equal((await ask(origin, await sign())).text, 'in reporting')
  })

  test('lets a bound token pass with its proof for the URL that the client sent', async () => {
    const prover = await makeProver()
    const token = await sign({ claims: { cnf: { jkt: prover.thumbprint } } })
    const send = async (url: string) => {
      const DPoP = await prover.prove({ method: 'GET', url, accessToken: token })
      return (await ask(origin, undefined, { Authorization: `DPoP ${token}`, DPoP })).status
    }
    assert.deepEqual([await send(`${AUDIENCE}/reports`), await send(`${AUDIENCE}/verify`)], [200, 401])
  })
})

describe('HAProxy', async () => {
  const pem = createPublicKey({ key: publicJwk as never, format: 'jwk' }).export({ type: 'spki', format: 'pem' })
  writeFileSync(join(folder, 'tokens.pem'), pem)
  const origin = await startGateway(
    (file) => `haproxy -db -f ${file}`,
    (port) => {
      const block = blockOf('haproxy', 'jwt_verify', {
        'bind :8082': `bind :${port}`,
        '127.0.0.1:3000': `127.0.0.1:${api}`,
        '/etc/haproxy/tokens.pem': join(folder, 'tokens.pem'),
      })
      return `defaults\n  timeout connect 5s\n  timeout client 5s\n  timeout server 5s\n${block}\n`
    },
  )
  checks(origin)
})

describe('Apache', async () => {
  mkdirSync(join(folder, 'apache'))
  const modules = ['mpm_event', 'authn_core', 'authz_core', 'authz_user', 'proxy', 'proxy_http', 'oauth2']
  const origin = await startGateway(
    (file) => `apache2 -DFOREGROUND -f ${file}`,
    (port) => {
      const block = blockOf('apacheconf', 'OAuth2TokenVerify', { [JWKS]: `${server.origin}/.well-known/jwks.json` })
      const loads = modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`)
      const place = join(folder, 'apache')
      const lines = [
        ...loads,
        `ServerName localhost`,
        `ServerRoot ${place}`,
        `DefaultRuntimeDir ${place}`,
        `PidFile ${place}/pid`,
      ]
      return `${lines.join('\n')}\nErrorLog ${folder}/apache/errors\nListen ${port}\nProxyPass / http://127.0.0.1:${api}/\n${block}\n`
    },
  )
  checks(origin, ['another type', 'bound to a key'])
})
