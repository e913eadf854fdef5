/**
 * Keys of the transit secrets engine of HashiCorp Vault or OpenBao, over its HTTP API.
 *
 * @see {@link https://openbao.org/api-docs/secret/transit/ Transit API}
 */

import type { JWK } from 'jose'
import * as v from 'valibot'
import { decodeBase64, encodeBase64 } from '../lib/base64.ts'
import { decodeBase64url, encodeBase64url } from '../lib/base64url.ts'
import type { Credentials } from './credentials.ts'
import { digestFor, type KeyVersion, type ServiceClient } from './key_service.ts'
import type { VaultKey } from './key_url.ts'
import { jwkOfPem } from './public_key.ts'
import { type CallService, failed } from './transport.ts'

/** Older versions are neither published nor sign. */
const MAX_VERSIONS = 16

/** How each `alg` is asked for. EdDSA is not there: its input is signed as it is. */
const SIGNATURES: ReadonlyMap<string, { readonly hash: string; readonly members: Readonly<Record<string, string>> }> =
  new Map([
    ['ES256', { hash: 'sha2-256', members: { marshaling_algorithm: 'jws' } }],
    ['ES384', { hash: 'sha2-384', members: { marshaling_algorithm: 'jws' } }],
    ['RS256', { hash: 'sha2-256', members: { marshaling_algorithm: 'jws', signature_algorithm: 'pkcs1v15' } }],
    [
      'PS256',
      { hash: 'sha2-256', members: { marshaling_algorithm: 'jws', signature_algorithm: 'pss', salt_length: 'hash' } },
    ],
  ])

const Version = v.object({ creation_time: v.pipe(v.string(), v.isoTimestamp()), public_key: v.string() })

const Key = v.object({
  data: v.object({
    keys: v.record(v.pipe(v.string(), v.regex(/^[1-9]\d{0,8}$/)), Version),
    min_encryption_version: v.optional(v.number(), 0),
  }),
})

const Signature = v.object({ data: v.object({ signature: v.string() }) })
const Ciphertext = v.object({ data: v.object({ ciphertext: v.string() }) })
const Plaintext = v.object({ data: v.object({ plaintext: v.string() }) })

export interface VaultOptions {
  readonly key: VaultKey
  /** Of the tokens that the key signs. */
  readonly alg: string
  /** Epoch seconds before which no version signs. */
  readonly signsFrom: number
  readonly credentials: Credentials
  /** Time between the creation of a version and its first signature. */
  readonly announceSeconds: number
  readonly call: CallService
}

/** Returns the client of a transit key. */
export function vaultKey(options: VaultOptions): ServiceClient {
  const { key, alg, credentials, call } = options
  const { origin, mount, name } = key
  const headers = new Headers({ 'X-Vault-Request': 'true', 'Content-Type': 'application/json' })
  if (credentials.VAULT_TOKEN !== undefined) headers.set('X-Vault-Token', credentials.VAULT_TOKEN)
  if (credentials.VAULT_NAMESPACE !== undefined) headers.set('X-Vault-Namespace', credentials.VAULT_NAMESPACE)
  const ask = async <T>(schema: v.GenericSchema<unknown, T>, path: string, members?: object): Promise<T> => {
    const url = `${origin}/v1/${mount}/${path}`
    const document = await (members === undefined
      ? call({ url, method: 'GET', headers })
      : call({ url, method: 'POST', headers, body: JSON.stringify(members) }))
    const read = v.safeParse(schema, document)
    if (!read.success) throw failed(`${new URL(origin).host}: the answer is not one of a transit key for ${alg}`)
    return read.output
  }
  return {
    encrypt: async (plaintext, context) => {
      const members = { plaintext: encodeBase64(plaintext), associated_data: base64Of(context) }
      return (await ask(Ciphertext, `encrypt/${name}`, members)).data.ciphertext
    },
    decrypt: async (ciphertext, context) => {
      const members = { ciphertext, associated_data: base64Of(context) }
      return decodeBase64((await ask(Plaintext, `decrypt/${name}`, members)).data.plaintext)
    },
    readVersions: async () => {
      const { data } = await ask(Key, `keys/${name}`)
      return versionsOf(data, options)
    },
    sign: async (version, input) => {
      const { path, members } = await signatureRequest(alg, input)
      const body = { ...members, key_version: Number(version.name) }
      const { signature } = (await ask(Signature, `sign/${name}${path}`, body)).data
      const prefix = `vault:v${version.name}:`
      if (!signature.startsWith(prefix)) throw failed(`${new URL(origin).host}: another version of the key signed`)
      const text = signature.slice(prefix.length)
      return alg === 'EdDSA' ? decodeBase64(text) : decodeBase64url(text)
    },
  }
}

/** A digest is sent where the algorithm allows it, so that the service does not see what is in a token. */
async function signatureRequest(
  alg: string,
  input: Uint8Array<ArrayBuffer>,
): Promise<{ readonly path: string; readonly members: object }> {
  const signature = SIGNATURES.get(alg)
  if (signature === undefined) return { path: '', members: { input: encodeBase64(input) } }
  const digest = encodeBase64(await digestFor(alg, input))
  return { path: `/${signature.hash}`, members: { ...signature.members, input: digest, prehashed: true } }
}

/**
 * Every version waits for its announcement after it was created, except the oldest that there is, or that the service lets sign.
 * So every process finds the same state, without memory.
 */
async function versionsOf(
  { keys, min_encryption_version: least }: v.InferOutput<typeof Key>['data'],
  { alg, signsFrom, announceSeconds }: VaultOptions,
): Promise<readonly KeyVersion[]> {
  const numbers = Object.keys(keys).map(Number)
  const first = Math.max(Math.min(...numbers), least)
  const latest = numbers.toSorted((one, other) => other - one).slice(0, MAX_VERSIONS)
  return Promise.all(
    latest.map(async (number) => {
      const { creation_time, public_key } = keys[number] ?? { creation_time: '', public_key: '' }
      const createdAt = Math.floor(Date.parse(creation_time) / 1000)
      const announcedUntil = number <= first ? 0 : createdAt + announceSeconds
      const publicJwk = await jwkOf(public_key, alg)
      return { name: String(number), publicJwk, signsFrom: Math.max(signsFrom, announcedUntil) }
    }),
  )
}

async function jwkOf(publicKey: string, alg: string): Promise<JWK> {
  if (alg !== 'EdDSA')
    return jwkOfPem(publicKey, alg).catch(() => {
      throw failed(`the transit key is of another type than ${alg} needs`)
    })
  const x = decodeBase64(publicKey)
  if (x.length !== 32) throw failed('the transit key is of another type than EdDSA needs')
  return { kty: 'OKP', crv: 'Ed25519', x: encodeBase64url(x), alg }
}

function base64Of(text: string): string {
  return encodeBase64(new TextEncoder().encode(text))
}
