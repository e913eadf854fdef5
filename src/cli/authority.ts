/** Trust in a certificate authority besides those of the runtime. */

import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import tls from 'node:tls'
import { CliError } from './errors.ts'

/**
 * Makes every later request of this process trust the certificates of a file.
 *
 * @throws CliError `usage` when the file cannot be read, holds none, or the runtime cannot do this
 */
export function trustAuthority(file: string): void {
  if (tls.setDefaultCACertificates === undefined) {
    throw new CliError('usage', '--ca needs Node 22.19, 24.5 or newer; NODE_EXTRA_CA_CERTS does the same')
  }
  try {
    const pem = readFileSync(file, 'utf8')
    // Node ignores what is no certificate; this throws.
    new X509Certificate(pem)
    tls.setDefaultCACertificates([...tls.getCACertificates('default'), pem])
  } catch (error) {
    throw new CliError('usage', `--ca ${file}: ${error instanceof Error ? error.message : error}`)
  }
}
