/** The keyring of SIGNING_KEYS with URLs: keys that sign in key management services. */

import { readKeySet } from '../keys/key_set.ts'
import { type FixedKeyring, type Keyring, type KeyringOptions, keyringOf } from '../keys/keyring.ts'
import { type SigningKey, toSigningKey } from '../keys/signing_key.ts'
import { refreshed } from '../lib/refreshed.ts'
import { isAwsAlgorithm } from './aws.ts'
import { isKeyUrl, type KeyUrl, readKeyUrl } from './key_url.ts'
import { type KeyServiceOptions, openKey } from './open_key.ts'
import { remoteSigningKey } from './remote_signing_key.ts'
import { MAX_CALL_SECONDS, toFailure } from './transport.ts'

/** Time after which the versions of the keys are read again. */
const FRESH_SECONDS = 5 * 60

const MAX_URLS = 8

/** What SIGNING_KEYS holds. */
export interface SigningKeySources {
  readonly urls: readonly KeyUrl[]
  /** Keys whose private halves are in the setting, after those of the URLs. */
  readonly localKeys: readonly SigningKey[]
}

/**
 * Reads URLs of keys, separated by commas or white space. A private JWK Set or a PEM may follow, whose keys then are still published.
 *
 * @throws TypeError whose message is the end of a sentence and quotes no part of the text
 */
export async function readSigningKeySources(text: string): Promise<SigningKeySources> {
  const urls: KeyUrl[] = []
  let rest = text.trim()
  while (isKeyUrl(rest)) {
    const [word = ''] = /^[^\s,]+/.exec(rest) ?? []
    urls.push(readSigningUrl(word))
    rest = rest.slice(word.length).replace(/^[\s,]+/, '')
  }
  if (urls.length > MAX_URLS) throw new TypeError(`has more than ${MAX_URLS} URLs`)
  const jwks = rest === '' ? [] : await readKeySet(rest)
  return { urls, localKeys: await Promise.all(jwks.map(toSigningKey)) }
}

function readSigningUrl(text: string): KeyUrl {
  const url = readKeyUrl(text)
  const { key, alg, ciphertext } = url
  if (ciphertext !== undefined) throw new TypeError('has a URL with a ciphertext, which belongs in KEY_ENCRYPTION_KEYS')
  if (key.service === 'awskms' && /(^|:)alias\//.test(key.keyId))
    throw new TypeError(
      'has an awskms URL with an alias, which may come to name another key at once; use the id of the key',
    )
  if (key.service === 'awskms' && !isAwsAlgorithm(alg)) throw new TypeError(`has an awskms URL with the alg ${alg}`)
  return url
}

/**
 * Returns a keyring that reads the public keys when it is first asked, and again after five minutes. It is complete or fails: a set
 * without the keys of one service would make verifiers refuse its tokens. Once read, it stays in use while a service fails.
 */
export function remoteKeyring(
  { urls, localKeys }: SigningKeySources,
  keyringOptions: KeyringOptions,
  services: KeyServiceOptions,
): Keyring {
  const clients = urls.map((url) => openKey(url, services))
  const local = keyringOf(localKeys, keyringOptions)
  const load = async (): Promise<FixedKeyring> => {
    const remote = await Promise.all(
      clients.map(async (client) =>
        Promise.all((await client.readVersions()).map((version) => remoteSigningKey(version, client))),
      ),
    )
    return keyringOf([...remote.flat(), ...localKeys], keyringOptions)
  }
  const find = refreshed({
    load,
    now: services.now,
    freshSeconds: FRESH_SECONDS,
    maxLoadSeconds: MAX_CALL_SECONDS,
  })
  return {
    algorithms: [...new Set([...urls.map(({ alg }) => alg), ...local.algorithms])],
    lifetimeSeconds: local.lifetimeSeconds,
    at: async (now) => (await find().catch(toFailure)).at(now),
  }
}
