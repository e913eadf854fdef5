/**
 * The entry `edgemint/resource-server`: protects an API with access tokens, on any Fetch runtime and with tokens of any issuer of
 * RFC 9068. Nothing here runs when it is imported.
 */

export type { ClientCertificate, FindClientCertificate } from './resource_server/bindings.ts'
export type { GuardedRequest } from './resource_server/credentials.ts'
export type { GuardEvent, ListProblem, OnEvent } from './resource_server/events.ts'
export { expressGuard } from './resource_server/express.ts'
export { fastifyGuard } from './resource_server/fastify.ts'
export { type GuardEnv, honoGuard } from './resource_server/hono.ts'
export { type IntrospectionOptions, introspection } from './resource_server/introspection.ts'
export type { IssuerMetadata } from './resource_server/issuer.ts'
export {
  type ResourceMetadata,
  type ResourceMetadataOptions,
  resourceMetadata,
  type SignMetadata,
} from './resource_server/metadata.ts'
export {
  type DpopOptions,
  type Guard,
  type GuardDemands,
  type ProtectOptions,
  protect,
} from './resource_server/protect.ts'
export type { GuardReason } from './resource_server/refusals.ts'
export { type Claimed, type ClaimProof, replayMemory } from './resource_server/replays.ts'
export { type RevocationListOptions, revocationList } from './resource_server/revocation_list.ts'
export type { Actor, Demands, VerifiedToken } from './resource_server/token.ts'
