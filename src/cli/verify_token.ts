/** Verifies the token that `edgemint clients test` received: its signature, and what it is bound to. */

import { createLocalJWKSet, type JSONWebKeySet, type JWTPayload, type JWTVerifyResult, jwtVerify } from 'jose'
import type { Prover } from '../client/prover.ts'
import { CliError } from './errors.ts'
import { isObject, type Members } from './http.ts'
import { certificateThumbprint } from './tls.ts'

/** Returns a token that is verified by the keys of the server. @throws CliError `refused` */
export async function verifyToken(token: string, jwks: Members, issuer: string): Promise<JWTVerifyResult> {
  try {
    return await jwtVerify(token, createLocalJWKSet(jwks as unknown as JSONWebKeySet), { issuer })
  } catch (error) {
    const problem = error instanceof Error ? error.message : error
    throw new CliError('refused', `the token cannot be verified: ${problem}`)
  }
}

/**
 * Returns what the token is bound to.
 *
 * @param cert name of the file with the certificate that was presented
 * @throws CliError `refused` if it is another key or certificate, or no key in spite of DPoP
 */
export function verifyBindings(
  { cnf }: JWTPayload,
  prover: Prover | undefined,
  cert: string | undefined,
): readonly string[] {
  const { jkt, 'x5t#S256': x5t } = isObject(cnf) ? cnf : {}
  if (jkt !== prover?.thumbprint)
    throw new CliError(
      'refused',
      'the token is not bound to the key of the DPoP proof: its cnf has another jkt or none',
    )
  if (x5t !== undefined && x5t !== (cert === undefined ? undefined : certificateThumbprint(cert)))
    throw new CliError('refused', 'the token is bound to another certificate: its cnf has another x5t#S256')
  return [
    ...(jkt === undefined ? [] : ['It is bound to the key of the DPoP proof.']),
    ...(x5t === undefined ? [] : ['It is bound to the certificate.']),
  ]
}
