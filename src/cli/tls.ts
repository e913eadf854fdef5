/** TLS of the requests: authorities to trust besides the known ones, and the certificate of the client. */

import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import tls from 'node:tls'
import { childrenOf, readDer } from '../lib/der.ts'
import { CliError } from './errors.ts'
import { type Identity, type Incoming, type Outgoing, requestOnNode } from './node_request.ts'

/** Tag of the field that certificates of version 1 do not have, RFC 5280 §4.1. */
const VERSION = 0xa0

export interface TlsOptions {
  /** Name of a PEM file. */
  readonly ca?: string
  /** Name of a PEM file: the client's certificate, followed by those of intermediate authorities. */
  readonly cert?: string
  /** Name of a PEM file: the private key of the certificate. */
  readonly key?: string
}

export type Fetch = (url: string, init: Outgoing) => Promise<Incoming>

/**
 * Returns a `fetch` that trusts the authorities and presents the certificate. On Node, all later requests of the process trust
 * the authorities.
 *
 * @throws CliError `usage` if a file cannot be read or used, or if Node is too old
 */
export function fetchWith({ ca, cert, key }: TlsOptions): Fetch {
  const authorities = ca === undefined ? [] : readCertificates('--ca', ca)
  const identity = readIdentity(cert, key)
  const { Deno, Bun } = globalThis as { Deno?: { createHttpClient(options: object): object }; Bun?: object }
  const isPlain = authorities.length === 0 && identity === undefined
  if (isPlain && (Deno !== undefined || Bun !== undefined)) return fetch
  if (Deno !== undefined) {
    if (identity !== undefined) refuseFirstVersion(identity.cert)
    const client = Deno.createHttpClient({ caCerts: authorities, ...identity })
    return (url, init) => fetch(url, { ...init, client } as RequestInit)
  }
  if (Bun !== undefined) {
    const trusted = { tls: { ca: [...tls.rootCertificates, ...authorities], ...identity } }
    return (url, init) => fetch(url, { ...init, ...trusted } as RequestInit)
  }
  if (authorities.length > 0) trustOnNode(authorities)
  return (url, init) => requestOnNode(url, init, identity)
}

/** Returns the `x5t#S256` of the first certificate in a PEM file, RFC 8705 §3.1. */
export function certificateThumbprint(file: string): string {
  const { raw } = new X509Certificate(readCertificates('--cert', file)[0] ?? '')
  return createHash('sha256').update(raw).digest('base64url')
}

function readIdentity(certFile: string | undefined, keyFile: string | undefined): Identity | undefined {
  if (certFile === undefined && keyFile === undefined) return undefined
  if (certFile === undefined || keyFile === undefined)
    throw new CliError('usage', '--cert and --key belong together; the private JWK of private_key_jwt is --client-key')
  const certificates = readCertificates('--cert', certFile)
  const key = readPem('--key', keyFile)
  try {
    if (new X509Certificate(certificates[0] ?? '').checkPrivateKey(createPrivateKey(key)))
      return { cert: certificates.join('\n'), key }
  } catch {
    throw new CliError('usage', `--key ${keyFile}: it contains no private key in PEM without a passphrase`)
  }
  throw new CliError('usage', `--key ${keyFile} is not the key of the first certificate in ${certFile}`)
}

/** Deno crashes when it is given a certificate of X.509 version 1. @throws CliError `usage` */
function refuseFirstVersion(cert: string): void {
  const [body] = childrenOf(readDer(new X509Certificate(cert).raw))
  const [version] = body === undefined ? [] : childrenOf(body)
  if (version?.tag !== VERSION)
    throw new CliError(
      'usage',
      'Deno cannot present a certificate of X.509 version 1; use Node, Bun or one of version 3',
    )
}

function trustOnNode(authorities: readonly string[]): void {
  if (tls.setDefaultCACertificates === undefined)
    throw new CliError('usage', '--ca needs Node 22.19, 24.5 or newer; NODE_EXTRA_CA_CERTS does the same')
  tls.setDefaultCACertificates([...tls.getCACertificates(), ...authorities])
}

/** Returns the certificates in a PEM file, in their order. */
function readCertificates(option: string, file: string): readonly string[] {
  const blocks = readPem(option, file).match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
  if (blocks.length === 0) throw new CliError('usage', `${option} ${file}: it contains no PEM certificate`)
  try {
    // Node would ignore one that is malformed; this throws.
    for (const block of blocks) new X509Certificate(block)
    return blocks
  } catch (error) {
    throw new CliError('usage', `${option} ${file}: ${error instanceof Error ? error.message : error}`)
  }
}

function readPem(option: string, file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new CliError('usage', `${option} ${file}: ${error instanceof Error ? error.message : error}`)
  }
}
