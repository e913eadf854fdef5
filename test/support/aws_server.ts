/** AWS KMS as far as this server asks it. It checks each signature of a request with an implementation of its own. */

import { exportSPKI, importJWK } from 'jose'
import { decodeBase64, encodeBase64 } from '../../src/lib/base64.ts'
import { digestKey } from './sign_digest.ts'

export const AWS_CREDENTIALS: Readonly<
  Record<'AWS_ACCESS_KEY_ID' | 'AWS_SECRET_ACCESS_KEY' | 'AWS_SESSION_TOKEN', string>
> = {
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  AWS_SESSION_TOKEN: 'session-token-of-the-tests',
}
export const AWS_KEY_ID = '1234abcd-12ab-34cd-56ef-1234567890ab'
export const AWS_KEY: string = `awskms://eu-central-1/${AWS_KEY_ID}`

const encoder = new TextEncoder()

export interface FakeAws {
  fetch(url: string, init: RequestInit): Promise<Response>
  readonly operations: string[]
  answer: (() => Response) | undefined
}

const json = (document: object, status = 200): Response => Response.json(document, { status })
const refused = (type: string, status = 400): Response => json({ __type: type, message: 'with details' }, status)

export async function fakeAws(alg: string): Promise<FakeAws> {
  const key = await digestKey(alg)
  const SigningAlgorithm = alg === 'ES256' ? 'ECDSA_SHA_256' : 'RSASSA_PKCS1_V1_5_SHA_256'
  const aws: FakeAws = {
    operations: [],
    answer: undefined,
    fetch: async (url, init) => {
      const headers = new Headers(init.headers)
      const operation = headers.get('X-Amz-Target')?.replace('TrentService.', '') ?? ''
      aws.operations.push(operation)
      if (aws.answer !== undefined) return aws.answer()
      if (!(await isSigned(url, headers, String(init.body)))) return refused('InvalidSignatureException')
      const members = JSON.parse(String(init.body))
      if (members.KeyId !== AWS_KEY_ID) return refused('NotFoundException')
      if (operation === 'GetPublicKey') return describe()
      if (operation === 'Encrypt' || operation === 'Decrypt') return crypt(members)
      const isAsExpected = members.MessageType === 'DIGEST' && members.SigningAlgorithm === SigningAlgorithm
      if (operation !== 'Sign' || !isAsExpected) return refused('com.amazonaws.kms#ValidationException')
      return json({ KeyId: members.KeyId, SigningAlgorithm, Signature: encodeBase64(signDigest(members.Message)) })
    },
  }

  async function describe(): Promise<Response> {
    const publicKey = (await importJWK({ ...key.publicJwk, alg }, alg, { extractable: true })) as CryptoKey
    const PublicKey = (await exportSPKI(publicKey)).replace(/-----[A-Z ]+-----|\s/g, '')
    return json({ KeyId: AWS_KEY_ID, KeyUsage: 'SIGN_VERIFY', PublicKey, SigningAlgorithms: [SigningAlgorithm] })
  }

  function signDigest(message: string): Uint8Array {
    const signature = key.sign(decodeBase64(message))
    return alg === 'ES256' ? toDer(signature) : signature
  }
  return aws
}

/** Not a cipher. */
function crypt({ Plaintext, CiphertextBlob, EncryptionContext }: Readonly<Record<string, string>>): Response {
  const context = JSON.stringify(EncryptionContext)
  if (Plaintext !== undefined) return json({ CiphertextBlob: btoa(`${context} ${Plaintext}`) })
  const [bound = '', plaintext = ''] = atob(CiphertextBlob ?? '').split(' ')
  return bound === context ? json({ Plaintext: plaintext }) : refused('InvalidCiphertextException')
}

/** Returns r and s as a DER SEQUENCE of two INTEGERs. */
export function toDer(signature: Uint8Array): Uint8Array<ArrayBuffer> {
  const size = signature.length / 2
  const integers = [signature.subarray(0, size), signature.subarray(size)].flatMap((number) => {
    const digits = [...number.subarray(number.findIndex((octet) => octet !== 0))]
    const content = (digits[0] ?? 0) < 0x80 ? digits : [0, ...digits]
    return [2, content.length, ...content]
  })
  return Uint8Array.from([0x30, integers.length, ...integers])
}

/** Signature Version 4 of a POST to the root, from its description. */
async function isSigned(url: string, headers: Headers, body: string): Promise<boolean> {
  const { host } = new URL(url)
  const datetime = headers.get('X-Amz-Date') ?? ''
  const signed = { 'content-type': headers.get('Content-Type'), host, 'x-amz-date': datetime }
  const more = {
    'x-amz-security-token': headers.get('X-Amz-Security-Token'),
    'x-amz-target': headers.get('X-Amz-Target'),
  }
  const lines = Object.entries({ ...signed, ...more })
  const names = lines.map(([name]) => name).join(';')
  const canonical = [
    'POST',
    '/',
    '',
    ...lines.map(([name, value]) => `${name}:${value}`),
    '',
    names,
    await sha256(body),
  ]
  const scope = `${datetime.slice(0, 8)}/eu-central-1/kms/aws4_request`
  const toSign = ['AWS4-HMAC-SHA256', datetime, scope, await sha256(canonical.join('\n'))].join('\n')
  let key: Uint8Array<ArrayBuffer> = encoder.encode(`AWS4${AWS_CREDENTIALS.AWS_SECRET_ACCESS_KEY}`)
  for (const part of scope.split('/')) key = await hmac(key, part)
  const signature = toHex(await hmac(key, toSign))
  const credential = `${AWS_CREDENTIALS.AWS_ACCESS_KEY_ID}/${scope}`
  const expected = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`
  return headers.get('Authorization') === expected && more['x-amz-security-token'] === AWS_CREDENTIALS.AWS_SESSION_TOKEN
}

async function hmac(key: Uint8Array<ArrayBuffer>, text: string): Promise<Uint8Array<ArrayBuffer>> {
  const hmacKey = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  return new Uint8Array(await crypto.subtle.sign('HMAC', hmacKey, encoder.encode(text)))
}

async function sha256(text: string): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', encoder.encode(text))))
}

function toHex(octets: Uint8Array): string {
  return [...octets].map((octet) => octet.toString(16).padStart(2, '0')).join('')
}
