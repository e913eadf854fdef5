/**
 * The entry `edgemint/client`: gets access tokens for this process, keeps them, and sends them. Caching, sharing one request among
 * callers and waiting for a server that asks for it are what client libraries leave to their users.
 */

export { type IssuedToken, TokenError } from './client/answer.ts'
export { type TokenClient, type TokenClientOptions, tokenClient } from './client/client.ts'
export {
  type Credentials,
  clientSecret,
  githubToken,
  privateKeyJwt,
  spiffeToken,
  workloadToken,
} from './client/credentials.ts'
