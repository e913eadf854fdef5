/** Converts clients of other servers, and reports what changes and which clients cannot be imported. */

import * as v from 'valibot'
import { ClientId } from '../clients/members.ts'
import { encodeBase64url } from '../lib/base64url.ts'
import { ResourceId } from '../resources/registry.ts'
import { hashKind } from '../secrets/hashes.ts'
import { DOTS } from './api.ts'
import { lifetimeOf } from './go_duration.ts'
import type { Members } from './http.ts'
import { fromHydraRow } from './hydra_row.ts'

/** A client as it will be registered. */
export interface ConvertedClient {
  readonly client_id: string
  readonly metadata: Readonly<Record<string, unknown>>
  /** Descriptions of the differences from the file. */
  readonly changes: readonly string[]
}

/** A client that cannot be imported. */
export interface RefusedClient {
  readonly client_id: string
  /** The reason. */
  readonly refused: string
}

/** Converters by the value of `--from`. */
export const FORMATS: Readonly<Record<string, (client: Members) => Promise<ConvertedClient | RefusedClient>>> = {
  /** Clients of Hydra's API, or rows of its table `hydra_client`; `client_secret` is the hash. */
  hydra: (row) => {
    const client = fromHydraRow(row)
    return convert(client, {
      idMember: 'client_id',
      hashes: [client['client_secret'], ...listOf(client['rotated_secrets'])],
      scope: client['scope'] ?? '',
      isPublic: client['token_endpoint_auth_method'] === 'none',
      lifetime: client['client_credentials_grant_access_token_lifespan'],
    })
  },
  /** `fosite.DefaultClient` as Go serializes it, with hashes in base64. */
  fosite: (client) =>
    convert(client, {
      idMember: 'id',
      hashes: [client['client_secret'] ?? client['hashed_secret'], ...listOf(client['rotated_secrets'])].map(fromGo),
      scope: joined(client['scopes'] ?? []),
      isPublic: client['public'] === true,
      lifetime: undefined,
    }),
  /** Client metadata of edgemint, with hashes of the secrets. */
  edgemint: async (client) => {
    const { client_id, ...metadata } = client
    return idProblem(client, 'client_id') ?? { client_id: client_id as string, metadata, changes: [] }
  },
}

/** Members with the same meaning in Hydra, fosite and edgemint. */
const SAME = [
  ...['client_name', 'client_uri', 'logo_uri', 'tos_uri', 'policy_uri', 'contacts', 'jwks', 'jwks_uri'],
  ...['token_endpoint_auth_method', 'token_endpoint_auth_signing_alg'],
]

interface Source {
  readonly idMember: string
  readonly hashes: readonly unknown[]
  /** Anything but a string is refused. */
  readonly scope: unknown
  readonly isPublic: boolean
  readonly lifetime: unknown
}

async function convert(client: Members, source: Source): Promise<ConvertedClient | RefusedClient> {
  const { idMember, hashes, scope, isPublic, lifetime } = source
  const badId = idProblem(client, idMember)
  if (badId !== undefined) return badId
  const client_id = client[idMember] as string
  const refuse = (refused: string): RefusedClient => ({ client_id, refused })
  if (isPublic) return refuse('a public client cannot use the client_credentials grant')
  if (typeof scope !== 'string') return refuse('its scope is of the wrong type')
  const grants = listOf(client['grant_types'])
  if (!grants.includes('client_credentials')) return refuse('it does not use the client_credentials grant')
  const texts = hashes.filter((hash) => typeof hash === 'string' && hash !== '') as string[]
  const badHash = texts.map(hashProblem).find((problem) => problem !== undefined)
  if (badHash !== undefined) return refuse(badHash)
  const method = client['token_endpoint_auth_method']
  const isKeyed = typeof method === 'string' && /^(private_key_jwt|.*tls_client_auth)$/.test(method)
  if (texts.length === 0 && !isKeyed) return refuse('it has no secret')
  const audience = listOf(client['audience'])
  const resources = audience.filter((each) => v.is(ResourceId, each))
  const { seconds, change } = lifetimeOf(lifetime)
  return {
    client_id,
    metadata: {
      ...Object.fromEntries(SAME.flatMap((member) => (isEmpty(client[member]) ? [] : [[member, client[member]]]))),
      grant_types: ['client_credentials'],
      scope,
      ...(resources.length > 0 && { resources }),
      ...(seconds !== undefined && { access_token_lifetime: seconds }),
      client_secrets: await Promise.all(texts.map(async (hash) => ({ id: await idOf(hash), hash, label: 'imported' }))),
    },
    changes: [
      ...grants.filter((grant) => grant !== 'client_credentials').map((grant) => `grant ${grant} left out`),
      ...audience
        .filter((each) => !resources.includes(each))
        .map((each) => `audience ${each} left out, it is not a URI`),
      ...(change === undefined ? [] : [change]),
      ...(isEmpty(client['redirect_uris']) ? [] : ['redirect_uris left out']),
      ...(isEmpty(client['metadata']) ? [] : ['metadata left out']),
    ],
  }
}

function idProblem(client: Members, member: string): RefusedClient | undefined {
  const id = client[member]
  if (typeof id !== 'string') return { client_id: '', refused: `its ${member} is missing or not a string` }
  // The URL of its record would lose it.
  if (DOTS.includes(id)) return { client_id: id, refused: `its ${member} is ${id}, which no URL can contain` }
  if (v.is(ClientId, id)) return undefined
  return {
    client_id: id,
    refused: `its ${member} is empty, too long, or contains characters that are not printable ASCII`,
  }
}

function hashProblem(hash: string): string | undefined {
  if (hashKind(hash) !== undefined) return undefined
  const [, cost] = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(hash) ?? []
  if (cost !== undefined) return `a secret is a bcrypt hash of cost ${cost}; the cost must be 4 to 15`
  const [, iterations] = /^\$pbkdf2-sha256\$i=(\d+),/.exec(hash) ?? []
  if (Number(iterations) > 100_000)
    return `a secret is a pbkdf2-sha256 hash of ${iterations} iterations; at most 100000 are accepted`
  return 'a secret is not a bcrypt or pbkdf2-sha256 hash'
}

/** Returns an id that depends on the hash only, so that a second import recognizes the secret. */
async function idOf(hash: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(hash))
  return `imported-${encodeBase64url(new Uint8Array(digest, 0, 12))}`
}

function listOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []
}

function isEmpty(value: unknown): boolean {
  return (
    value === undefined ||
    value === null ||
    value === '' ||
    (typeof value === 'object' && Object.keys(value).length === 0)
  )
}

function fromGo(value: unknown): unknown {
  if (typeof value !== 'string' || value.startsWith('$')) return value
  try {
    return atob(value)
  } catch {
    return value
  }
}

/** Returns a list of strings as one, and anything else unchanged. */
function joined(value: unknown): unknown {
  return Array.isArray(value) && value.every((each) => typeof each === 'string') ? value.join(' ') : value
}
