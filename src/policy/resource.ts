/** Which resource servers a token is for. */

import * as v from 'valibot'
import { invalidTarget } from '../errors.ts'
import type { Permit } from '../features.ts'
import { ResourceId, type Resources } from '../resources/registry.ts'
import type { Form, ResourceServer } from '../types.ts'

/**
 * Gives the resource servers asked for in `resource` and, for clients of other vendors, `audience`. When none is asked, the
 * default one if the client may have it, else none. Identifiers are compared to the letter, so nothing is normalised and
 * nothing can be smuggled by a path.
 *
 * @throws OAuthError `invalid_target` when one is malformed, unknown or not allowed
 * @see RFC 8707 §2
 */
export async function grantResources(
  form: Form,
  permit: Permit,
  resources: Resources,
): Promise<readonly ResourceServer[]> {
  const asked = [...new Set([...form.getAll('resource'), ...form.getAll('audience')])]
  if (asked.length === 0) {
    const usual = await resources.findDefault()
    return usual !== undefined && permit.resources.includes(usual.resource) ? [usual] : []
  }
  if (!form.getAll('resource').every((resource) => v.is(ResourceId, resource))) {
    throw invalidTarget('resource_malformed', 'A resource must be an absolute URI without a fragment and dot segments.')
  }
  if (!asked.every((resource) => permit.resources.includes(resource))) {
    throw invalidTarget('resource_not_allowed', 'The client may not have tokens for this resource.')
  }
  return Promise.all(asked.map((resource) => findResource(resource, resources)))
}

async function findResource(resource: string, { find }: Resources): Promise<ResourceServer> {
  const found = await find(resource)
  if (found === undefined) throw invalidTarget('resource_unknown', 'The client may not have tokens for this resource.')
  return found
}

/**
 * Gives the algorithm that the resource servers want, undefined when they want none.
 *
 * @throws OAuthError `invalid_target` when they differ
 */
export function signingAlgOf(resources: readonly ResourceServer[]): string | undefined {
  const [alg, another] = new Set(resources.flatMap(({ signing_alg }) => signing_alg ?? []))
  if (another !== undefined) {
    throw invalidTarget('resources_incompatible', 'These resources cannot share a token; ask for one each.')
  }
  return alg
}
