/**
 * Keys of AWS KMS, over its JSON API.
 *
 * @see {@link https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html AWS KMS API reference}
 */

import * as v from 'valibot'
import { decodeBase64, encodeBase64 } from '../lib/base64.ts'
import type { Credentials } from './credentials.ts'
import { jwsSignatureOf } from './ecdsa_signature.ts'
import { digestFor, type ServiceClient } from './key_service.ts'
import type { AwsKey } from './key_url.ts'
import { jwkOfPem, pemOf } from './public_key.ts'
import { signedHeaders } from './sigv4.ts'
import { type CallService, failed } from './transport.ts'

/** The name of each `alg` there, and for ECDSA the octets of r and of s. */
const ALGORITHMS_OF_AWS: ReadonlyMap<string, { readonly name: string; readonly size?: number }> = new Map([
  ['ES256', { name: 'ECDSA_SHA_256', size: 32 }],
  ['ES384', { name: 'ECDSA_SHA_384', size: 48 }],
  ['RS256', { name: 'RSASSA_PKCS1_V1_5_SHA_256' }],
  ['PS256', { name: 'RSASSA_PSS_SHA_256' }],
])

const Encrypted = v.object({ CiphertextBlob: v.string() })
const Decrypted = v.object({ Plaintext: v.string() })
const PublicKey = v.object({ PublicKey: v.string(), KeyUsage: v.literal('SIGN_VERIFY') })
const Signed = v.object({ Signature: v.string() })

export interface AwsOptions {
  readonly key: AwsKey
  /** Of the tokens that the key signs. */
  readonly alg: string
  /** Epoch seconds. */
  readonly signsFrom: number
  readonly credentials: Credentials
  readonly call: CallService
}

/** Returns whether AWS KMS signs with an `alg`. It takes the digest of a token, and Ed25519 signs the token itself. */
export function isAwsAlgorithm(alg: string): boolean {
  return ALGORITHMS_OF_AWS.has(alg)
}

/** Returns the client of a KMS key. A key that signs has no versions there: its successor is another key. */
export function awsKey({
  key: { region, keyId: KeyId },
  alg,
  signsFrom,
  credentials,
  call,
}: AwsOptions): ServiceClient {
  const { name: SigningAlgorithm, size } = ALGORITHMS_OF_AWS.get(alg) ?? { name: alg }
  const url = endpointOf(region, credentials)
  const ask = async <T>(schema: v.GenericSchema<unknown, T>, operation: string, members: object): Promise<T> => {
    const body = JSON.stringify({ KeyId, ...members })
    const named = { 'Content-Type': 'application/x-amz-json-1.1', 'X-Amz-Target': `TrentService.${operation}` }
    const headers = await signedHeaders({ url, headers: named, body, region, service: 'kms', credentials })
    const document = await call({ url, method: 'POST', body, headers })
    const read = v.safeParse(schema, document)
    if (!read.success) throw failed(`${new URL(url).host}: the answer is not one of ${operation} for ${alg}`)
    return read.output
  }
  return {
    encrypt: async (plaintext, context) => {
      const members = { Plaintext: encodeBase64(plaintext), EncryptionContext: { issuer: context } }
      return (await ask(Encrypted, 'Encrypt', members)).CiphertextBlob
    },
    decrypt: async (CiphertextBlob, context) => {
      const members = { CiphertextBlob, EncryptionContext: { issuer: context } }
      return decodeBase64((await ask(Decrypted, 'Decrypt', members)).Plaintext)
    },
    readVersions: async () => {
      const { PublicKey: spki } = await ask(PublicKey, 'GetPublicKey', {})
      const publicJwk = await jwkOfPem(pemOf(spki), alg).catch(() => {
        throw failed(`the key of AWS KMS is of another type than ${alg} needs`)
      })
      return [{ name: KeyId, publicJwk, signsFrom }]
    },
    sign: async (_version, input) => {
      const members = { Message: encodeBase64(await digestFor(alg, input)), MessageType: 'DIGEST', SigningAlgorithm }
      const signature = decodeBase64((await ask(Signed, 'Sign', members)).Signature)
      return size === undefined ? signature : jwsSignatureOf(signature, size)
    },
  }
}

function endpointOf(region: string, { AWS_ENDPOINT_URL_KMS: endpoint }: Credentials): string {
  return endpoint === undefined
    ? `https://kms.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}/`
    : new URL(endpoint).href
}
