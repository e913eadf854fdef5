/** URLs that name a key of a key management service. */

import { ALGORITHMS } from '../keys/algorithms.ts'
import { isLoopback } from '../lib/loopback.ts'

/** A key of the transit engine of Vault or OpenBao. */
export interface VaultKey {
  readonly service: 'vault'
  readonly origin: string
  /** Where the engine is mounted. */
  readonly mount: string
  readonly name: string
}

/** A key of AWS KMS. */
export interface AwsKey {
  readonly service: 'awskms'
  readonly region: string
  /** The id or the ARN of a key, or of an alias. */
  readonly keyId: string
}

export type ServiceKey = VaultKey | AwsKey

/** What one URL says. */
export interface KeyUrl {
  readonly key: ServiceKey
  /** `alg` of tokens, RFC 7518 §3.1; for a key that signs. */
  readonly alg: string
  /** Epoch seconds from which a key signs; undefined if the service decides. */
  readonly signsFrom: number | undefined
  /** What the service decrypts to a key-encryption key; for a key that encrypts. */
  readonly ciphertext: string | undefined
}

const DEFAULT_ALG = 'ES256'
const SCHEMES = /^(vault|vault\+http|awskms):\/\//
const PATH_SEGMENT = /^[\w.-]+$/
const REGION = /^[a-z]{2}(-[a-z]+)+-\d$/
const AWS_KEY = /^[\w:/-]+$/
const PARAMETERS: readonly string[] = ['alg', 'signs_from', 'ciphertext']

/** Returns whether a text begins as the URL of a key does. */
export function isKeyUrl(text: string): boolean {
  return SCHEMES.test(text.trimStart())
}

/**
 * Reads `vault://HOST[:PORT]/MOUNT/KEY`, `vault+http://LOOPBACK[:PORT]/MOUNT/KEY` or `awskms://REGION/KEY`, each with parameters.
 *
 * @throws TypeError whose message is the end of a sentence and quotes no part of the URL
 */
export function readKeyUrl(text: string): KeyUrl {
  const [, scheme] = SCHEMES.exec(text) ?? []
  // With a scheme that the URL parser knows, it checks and normalizes the host.
  const address = text.replace(SCHEMES, scheme === 'vault+http' ? 'http://' : 'https://')
  if (scheme === undefined || !URL.canParse(address))
    throw new TypeError('is not a URL like vault://HOST/MOUNT/KEY or awskms://REGION/KEY')
  const url = new URL(address)
  if (url.username !== '' || url.password !== '' || url.hash !== '')
    throw new TypeError('has a URL with a user name, a password or a fragment; credentials have settings of their own')
  const key = scheme === 'awskms' ? readAwsKey(url) : readVaultKey(url)
  return { key, ...readParameters(url.searchParams) }
}

function readVaultKey({ origin, protocol, hostname, pathname }: URL): VaultKey {
  if (protocol === 'http:' && !isLoopback(hostname))
    throw new TypeError('has vault+http:// with a host that is not loopback')
  const segments = pathname.split('/').slice(1)
  const [name = '', mount] = [segments.at(-1), segments.slice(0, -1).join('/')]
  if (segments.length < 2 || !segments.every((segment) => PATH_SEGMENT.test(segment)))
    throw new TypeError('has a vault URL whose path is not /MOUNT/KEY')
  return { service: 'vault', origin, mount, name }
}

function readAwsKey({ host, pathname }: URL): AwsKey {
  const keyId = pathname.slice(1)
  if (!REGION.test(host)) throw new TypeError('has an awskms URL whose host is not a region, such as eu-central-1')
  if (!AWS_KEY.test(keyId))
    throw new TypeError('has an awskms URL whose path is not the id or ARN of a key, or alias/NAME')
  return { service: 'awskms', region: host, keyId }
}

function readParameters(parameters: URLSearchParams): Omit<KeyUrl, 'key'> {
  const names = [...parameters.keys()]
  if (names.some((name) => !PARAMETERS.includes(name)) || new Set(names).size < names.length)
    throw new TypeError(`has a URL with a parameter that is repeated or none of ${PARAMETERS.join(', ')}`)
  const alg = parameters.get('alg') ?? DEFAULT_ALG
  if (!ALGORITHMS.has(alg)) throw new TypeError(`has a URL whose alg is none of ${[...ALGORITHMS.keys()].join(', ')}`)
  const signsFrom = parameters.get('signs_from') ?? undefined
  if (signsFrom !== undefined && !/^\d{1,10}$/.test(signsFrom))
    throw new TypeError('has a URL whose signs_from is not in epoch seconds')
  return {
    alg,
    signsFrom: signsFrom === undefined ? undefined : Number(signsFrom),
    // A ciphertext is base64, in which a plus sign that was not percent-encoded was read as a space.
    ciphertext: parameters.get('ciphertext')?.replaceAll(' ', '+'),
  }
}
