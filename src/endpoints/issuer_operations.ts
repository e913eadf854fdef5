/** The OpenAPI descriptions of `/issuers` and the paths below it. */

import { IssuerMembers } from '../issuers/registry.ts'
import { type NamedSchema, type Operations, objectSchema, PAGE } from './operation.ts'

const ISSUER: NamedSchema = { name: 'TrustedIssuer', schema: IssuerMembers }

const ISSUER_PAGE: NamedSchema = {
  name: 'TrustedIssuerPage',
  schema: objectSchema(['issuers'], {
    issuers: { type: 'array', items: { $ref: '#/components/schemas/TrustedIssuer' } },
    next_cursor: { type: 'string' },
  }),
}

const tag = 'Trusted issuers'
const security = 'operator'
const example = {
  issuer: 'https://gitlab.com',
  preset: 'gitlab',
  signing_algs: ['RS256', 'ES256'],
  max_age: 3600,
  single_use: false,
  required_claims: ['project_id', 'namespace_id'],
  uses: ['client_authentication'],
}

export const ISSUER_OPERATIONS: Operations = {
  '/issuers': {
    get: {
      operationId: 'listIssuers',
      tag,
      summary: 'Lists trusted issuers',
      query: PAGE,
      answers: { 200: { schema: ISSUER_PAGE } },
      errors: [400, 401, 503],
      security,
      example: { issuers: [example] },
    },
  },
  '/issuers/{issuer}': {
    get: {
      operationId: 'readIssuer',
      tag,
      summary: 'Reads a trusted issuer',
      answers: { 200: { schema: ISSUER } },
      errors: [401, 404, 503],
      security,
      example,
    },
    put: {
      operationId: 'replaceIssuer',
      tag,
      summary: 'Registers or replaces a trusted issuer, after its keys have been fetched once',
      json: ISSUER,
      answers: { 200: { schema: ISSUER }, 201: { schema: ISSUER } },
      errors: [400, 401, 409, 412, 413, 415, 503],
      security,
      example: { preset: 'gitlab' },
    },
    delete: {
      operationId: 'deleteIssuer',
      tag,
      summary: 'Deletes a trusted issuer; its tokens are refused',
      answers: { 204: null },
      errors: [401, 404, 412, 503],
      security,
      example: undefined,
    },
  },
}
