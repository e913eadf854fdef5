/** Resource servers in a registry, and which of them is the default. */

import * as v from 'valibot'
import { Scope } from '../policy/scope.ts'
import type { Records } from '../records/open.ts'
import { type FindRecord, type RecordKind, readRecords } from '../records/records.ts'
import type { ResourceServer } from '../types.ts'

/** An absolute URI without a fragment, in the ASCII characters of RFC 3986; 1 to 256 of them. */
export const ResourceId: v.GenericSchema<string> = v.pipe(
  v.string(),
  v.regex(/^[\x21\x24-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]{1,256}$/, 'must be a URI of at most 256 characters'),
  v.check((text) => URL.canParse(text), 'must be an absolute URI'),
  v.check((text) => !/(^|[/\\])\.{1,2}([/\\?]|$)|%2e/i.test(text), 'must not hold . or .. as part of its path'),
)

const Members = {
  resource: ResourceId,
  scope: v.optional(Scope),
  access_token_lifetime: v.optional(
    v.pipe(v.number('must be seconds'), v.integer('must be whole seconds'), v.minValue(1, 'must be at least 1')),
  ),
  signing_alg: v.optional(v.string('must be a text')),
}

/** A resource server as an operator hands it in; other members are passed over. */
export const ResourceMembers: v.GenericSchema<unknown, ResourceServer & { default?: boolean | undefined }> = v.object({
  ...Members,
  default: v.optional(v.boolean('must be true or false')),
})

export const RESOURCES: RecordKind<ResourceServer> = {
  prefix: 'resource',
  schema: v.object(Members),
  idOf: ({ resource }) => resource,
}

/** Who is the audience when none is asked for: one small record that names it. */
export interface DefaultResource {
  readonly resource: string
}

/** The one id of that record. */
export const DEFAULT = 'default'

export const DEFAULT_RESOURCE: RecordKind<DefaultResource> = {
  prefix: 'resource-role',
  schema: v.object({ resource: ResourceId }),
  idOf: () => DEFAULT,
}

/** How resource servers are found. */
export interface Resources {
  readonly find: FindRecord<ResourceServer>
  /** Gives undefined when no resource server is the default. */
  findDefault(): Promise<ResourceServer | undefined>
}

export function resourcesOf(records: Records): Resources {
  const find = records.find(RESOURCES)
  const readRole = readRecords(records.registry, DEFAULT_RESOURCE)
  // That no resource server is the default is knowledge too, and is kept like the other.
  const findRole = records.keep(DEFAULT_RESOURCE.prefix, async (id) => ({ holder: await readRole(id) }))
  return {
    find,
    async findDefault() {
      const holder = (await findRole(DEFAULT))?.holder
      return holder && find(holder.resource)
    },
  }
}
