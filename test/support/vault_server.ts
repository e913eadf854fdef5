/** The transit engine of OpenBao 2.7.2, as far as this server asks it, with the answers that a real one gave. */

import { exportSPKI, importJWK } from 'jose'
import { decodeBase64, encodeBase64 } from '../../src/lib/base64.ts'
import { encodeBase64url } from '../../src/lib/base64url.ts'
import { type DigestKey, digestKey } from './sign_digest.ts'

export const VAULT_TOKEN = 'hvs.token-of-the-tests'
export const VAULT_KEY = 'vault://vault.example:8200/team/transit/edgemint'

interface Members {
  readonly [name: string]: string | number | boolean
}

export interface FakeVault {
  fetch(url: string, init: RequestInit): Promise<Response>
  /** Adds a version that was created then. */
  rotate(createdAt: number): Promise<void>
  /** Paths of the requests, in order. */
  readonly paths: string[]
  /** Replaces the next answers. */
  answer: ((path: string) => Response | Promise<Response> | undefined) | undefined
  minEncryptionVersion: number
}

const json = (document: object, status = 200): Response => Response.json(document, { status })
const refused = (message: string, status = 400): Response => json({ errors: [message] }, status)

/** Returns a server with one key, whose first version was created then. */
export async function fakeVault(alg: string, createdAt: number): Promise<FakeVault> {
  const versions: { readonly key: DigestKey; readonly createdAt: number }[] = []
  const vault: FakeVault = {
    paths: [],
    answer: undefined,
    minEncryptionVersion: 0,
    rotate: async (at) => void versions.push({ key: await digestKey(alg), createdAt: at }),
    fetch: async (url, init) => {
      const path = new URL(url).pathname
      vault.paths.push(path)
      const instead = await vault.answer?.(path)
      if (instead !== undefined) return instead
      if (new Headers(init.headers).get('X-Vault-Token') !== VAULT_TOKEN) return refused('permission denied', 403)
      const members: Members = init.body ? JSON.parse(String(init.body)) : {}
      if (path === '/v1/team/transit/keys/edgemint') return describe()
      if (path === '/v1/team/transit/sign/edgemint/sha2-256') return sign(members)
      if (path === '/v1/team/transit/encrypt/edgemint') return encrypt(members)
      return path === '/v1/team/transit/decrypt/edgemint' ? decrypt(members) : json({ errors: [] }, 404)
    },
  }

  async function describe(): Promise<Response> {
    const entries = versions.map(async ({ key, createdAt: at }, index) => {
      const creation_time = new Date(at * 1000).toISOString().replace('Z', '409916Z')
      const publicKey = (await importJWK({ ...key.publicJwk, alg }, alg, { extractable: true })) as CryptoKey
      return [
        String(index + 1),
        { certificate_chain: '', creation_time, name: '', public_key: await exportSPKI(publicKey) },
      ]
    })
    const keys = Object.fromEntries(await Promise.all(entries))
    const data = { keys, latest_version: versions.length, min_encryption_version: vault.minEncryptionVersion }
    return json({ request_id: '14d9e0ad', lease_id: '', renewable: false, data, warnings: null, auth: null })
  }

  function sign({ input, key_version, ...members }: Members): Response {
    const expected = alg === 'ES256' ? {} : { signature_algorithm: 'pkcs1v15' }
    const isAsExpected =
      JSON.stringify(Object.entries(members).sort()) ===
      JSON.stringify(Object.entries({ marshaling_algorithm: 'jws', prehashed: true, ...expected }).sort())
    const version = versions[Number(key_version) - 1]
    if (!isAsExpected || version === undefined || Number(key_version) < vault.minEncryptionVersion)
      return refused('1 error occurred:\n\t* requested version for signing is higher than the latest key version\n\n')
    const signature = encodeBase64url(version.key.sign(decodeBase64(String(input))))
    return json({ data: { key_version, signature: `vault:v${key_version}:${signature}` } })
  }

  await vault.rotate(createdAt)
  return vault
}

/** Not a cipher: the ciphertext shows what it was made of, so that a test can see it. */
function encrypt({ plaintext, associated_data }: Members): Response {
  return json({
    data: { ciphertext: `vault:v1:${encodeBase64(new TextEncoder().encode(`${associated_data} ${plaintext}`))}` },
  })
}

function decrypt({ ciphertext, associated_data }: Members): Response {
  const text = String(ciphertext)
  if (!text.startsWith('vault:v1:')) return refused('invalid ciphertext: no prefix')
  const [context, plaintext] = new TextDecoder().decode(decodeBase64(text.slice(9))).split(' ')
  return context === associated_data ? json({ data: { plaintext } }) : refused('cipher: message authentication failed')
}
