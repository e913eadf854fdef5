/** Trust in certificate authorities besides those that the runtime knows. */

import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import tls from 'node:tls'
import { CliError } from './errors.ts'

/**
 * Returns the options of `fetch` that trust the certificates in a PEM file, too. On Node, which has no such option, all later
 * requests of the process trust them.
 *
 * @throws CliError `usage` if the file cannot be read or contains no certificate, or if Node is too old
 */
export function trustAuthorities(file: string): object {
  const authorities = readCertificates(file)
  const { Deno, Bun } = globalThis as { Deno?: { createHttpClient(options: object): object }; Bun?: object }
  if (Deno !== undefined) return { client: Deno.createHttpClient({ caCerts: authorities }) }
  if (Bun !== undefined) return { tls: { ca: [...tls.rootCertificates, ...authorities] } }
  if (tls.setDefaultCACertificates === undefined)
    throw new CliError('usage', '--ca needs Node 22.19, 24.5 or newer; NODE_EXTRA_CA_CERTS does the same')
  tls.setDefaultCACertificates([...tls.getCACertificates(), ...authorities])
  return {}
}

function readCertificates(file: string): readonly string[] {
  try {
    const blocks = readFileSync(file, 'utf8').match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
    // Node would ignore one that is malformed; this throws.
    for (const block of blocks) new X509Certificate(block)
    if (blocks.length > 0) return blocks
  } catch (error) {
    throw new CliError('usage', `--ca ${file}: ${error instanceof Error ? error.message : error}`)
  }
  throw new CliError('usage', `--ca ${file}: it contains no PEM certificate`)
}
