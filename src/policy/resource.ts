/** The resource servers that a token is for. */

import * as v from 'valibot'
import { invalidTarget } from '../errors.ts'
import type { Permit } from '../permit.ts'
import { ResourceId, type Resources } from '../resources/registry.ts'
import type { Form, ResourceServer } from '../types.ts'

/**
 * Returns the resource servers that the request names in `resource` and, for clients written for other vendors, `audience`. When
 * it names none, returns those of the permit, or the default resource server if the client may ask for it. Identifiers are compared
 * exactly: nothing is normalised, so a path cannot stand for another resource.
 *
 * @throws OAuthError `invalid_target` when one is malformed, unknown or not allowed
 * @see {@link https://www.rfc-editor.org/rfc/rfc8707#section-2 RFC 8707 §2}
 */
export async function grantResources(
  form: Form,
  permit: Permit,
  resources: Resources,
): Promise<readonly ResourceServer[]> {
  const [named, alternative] = [form.getAll('resource'), form.getAll('audience')]
  const given = [...named, ...alternative]
  if (given.length === 0 && permit.defaultResources === undefined) {
    const fallback = permit.resources.length === 0 ? undefined : await resources.findDefault()
    return fallback !== undefined && permit.resources.includes(fallback.resource) ? [fallback] : []
  }
  const asked = [...new Set(given.length > 0 ? given : permit.defaultResources)]
  if (!named.every((resource) => v.is(ResourceId, resource))) {
    throw invalidTarget('resource_malformed', 'A resource must be an absolute URI without a fragment or dot segments.')
  }
  if (!asked.every((resource) => permit.resources.includes(resource))) {
    throw invalidTarget('resource_not_allowed', 'The client may not request tokens for this resource.')
  }
  return Promise.all(asked.map((resource) => findResource(resource, resources)))
}

async function findResource(resource: string, resources: Resources): Promise<ResourceServer> {
  const found = await resources.find(resource)
  if (found === undefined)
    throw invalidTarget('resource_unknown', 'The client may not request tokens for this resource.')
  return found
}

/**
 * Returns the algorithm that the resource servers require; undefined when they require none.
 *
 * @throws OAuthError `invalid_target` when they require different algorithms
 */
export function signingAlgOf(resources: readonly ResourceServer[]): string | undefined {
  const [alg, another] = new Set(resources.flatMap(({ signing_alg }) => signing_alg ?? []))
  if (another !== undefined) {
    throw invalidTarget('resources_incompatible', 'These resources cannot share a token; ask for a token for each.')
  }
  return alg
}
