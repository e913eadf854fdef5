/** The records of resource servers, and of the default one. */

import * as v from 'valibot'
import { Scope } from '../policy/scope.ts'
import type { Records } from '../records/open.ts'
import { type FindRecord, type RecordKind, readRecords } from '../records/records.ts'
import type { ResourceServer } from '../types.ts'

/** Identifier of a resource server: an absolute URI without a fragment, 1 to 256 ASCII characters of RFC 3986. */
export const ResourceId: v.GenericSchema<string> = v.pipe(
  v.string('must be a string'),
  v.regex(/^[\x21\x24-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]{1,256}$/, 'must be a URI of at most 256 characters'),
  v.check((text) => URL.canParse(text), 'must be an absolute URI'),
  v.check((text) => !/(^|[/\\])\.{1,2}([/\\?]|$)|%2e/i.test(text), 'must not have . or .. as a path segment'),
)

const Members = {
  resource: ResourceId,
  scope: v.optional(Scope),
  access_token_lifetime: v.optional(
    v.pipe(
      v.number('must be a number of seconds'),
      v.integer('must be an integer'),
      v.minValue(1, 'must be at least 1'),
    ),
  ),
  signing_alg: v.optional(v.string('must be a string')),
}

/** Schema of a resource server in a request of an operator. Unknown members are ignored. */
export const ResourceMembers: v.GenericSchema<unknown, ResourceServer & { default?: boolean | undefined }> = v.object({
  ...Members,
  default: v.optional(v.boolean('must be true or false')),
})

/** The records of resource servers, by identifier. */
export const RESOURCES: RecordKind<ResourceServer> = {
  prefix: 'resource',
  schema: v.object(Members),
  idOf: ({ resource }) => resource,
}

/** The record that names the default resource server, the audience of a request that names none. */
export interface DefaultResource {
  readonly resource: string
}

/** The only id of that kind of record. */
export const DEFAULT = 'default'

/** The record of the default resource server. */
export const DEFAULT_RESOURCE: RecordKind<DefaultResource> = {
  prefix: 'resource-role',
  schema: v.object({ resource: ResourceId }),
  idOf: () => DEFAULT,
}

/** Look-ups of resource servers. */
export interface Resources {
  readonly find: FindRecord<ResourceServer>
  /** Returns the default resource server, undefined when there is none. */
  findDefault(): Promise<ResourceServer | undefined>
}

/** Returns the cached look-ups of resource servers. */
export function resourcesOf(records: Records): Resources {
  const find = records.find(RESOURCES)
  const readDefault = readRecords(records.registry, DEFAULT_RESOURCE)
  // Wrapped in an object, so that the absence of a default is cached for as long as a default is.
  const findName = records.keep(DEFAULT_RESOURCE.prefix, async (id) => ({ named: await readDefault(id) }))
  return {
    find,
    async findDefault() {
      const named = (await findName(DEFAULT))?.named
      return named && find(named.resource)
    },
  }
}
