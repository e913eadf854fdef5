/** What can be asked of this server, for its OpenAPI document: one row for each method of each path. */

/** A body, an answer, who may ask. */
export interface Operation {
  readonly summary: string
  readonly form?: readonly string[]
  readonly json?: string
  readonly answers: Readonly<Record<number, string>>
  readonly security?: 'client' | 'operator' | 'registration'
  readonly query?: readonly string[]
}

/** By method and path; a path that is not mounted is left out. */
export const OPERATIONS: Readonly<Record<string, Readonly<Record<string, Operation>>>> = {
  '/token': {
    post: {
      summary: 'Issues an access token, RFC 6749 §4.4',
      form: [
        'grant_type',
        'scope',
        'resource',
        'client_id',
        'client_secret',
        'client_assertion_type',
        'client_assertion',
      ],
      answers: { 200: 'TokenResponse' },
      security: 'client',
    },
  },
  '/.well-known/jwks.json': { get: { summary: 'The keys that verify tokens, RFC 7517', answers: { 200: 'JwkSet' } } },
  '/introspect': {
    post: {
      summary: 'Tells whether a token holds, RFC 7662',
      form: ['token', 'token_type_hint'],
      answers: { 200: 'Introspection' },
      security: 'client',
    },
  },
  '/revoke': {
    post: {
      summary: 'Ends a token of the client, RFC 7009',
      form: ['token', 'token_type_hint'],
      answers: { 200: '' },
      security: 'client',
    },
  },
  '/revocations': {
    get: { summary: 'What is denied, as a signed JWT', answers: { 200: 'Jwt' } },
    post: {
      summary: 'Denies tokens issued until an instant',
      json: 'Cut',
      answers: { 200: 'Cut' },
      security: 'operator',
    },
  },
  '/register': {
    get: { summary: 'Lists clients', query: ['limit', 'cursor'], answers: { 200: 'ClientPage' }, security: 'operator' },
    post: {
      summary: 'Makes a client, RFC 7591',
      json: 'ClientMetadata',
      answers: { 201: 'Client' },
      security: 'operator',
    },
  },
  '/register/{client_id}': {
    get: { summary: 'Reads a client, RFC 7592', answers: { 200: 'Client' }, security: 'registration' },
    put: {
      summary: 'Replaces the metadata of a client, RFC 7592',
      json: 'ClientMetadata',
      answers: { 200: 'Client', 201: 'Client' },
      security: 'registration',
    },
    delete: { summary: 'Deletes a client, RFC 7592', answers: { 204: '' }, security: 'registration' },
  },
  '/register/{client_id}/secrets': {
    post: {
      summary: 'Adds a secret, shown once',
      json: 'NewSecret',
      answers: { 201: 'Secret' },
      security: 'registration',
    },
  },
  '/register/{client_id}/secrets/{id}': {
    delete: { summary: 'Ends a secret', answers: { 204: '' }, security: 'registration' },
  },
  '/register/{client_id}/registration_access_token': {
    post: { summary: 'Gives the client a new token for itself', answers: { 200: 'Client' }, security: 'registration' },
  },
  '/resources': {
    get: {
      summary: 'Lists resource servers',
      query: ['limit', 'cursor'],
      answers: { 200: 'ResourcePage' },
      security: 'operator',
    },
  },
  '/resources/{resource}': {
    get: { summary: 'Reads a resource server', answers: { 200: 'Resource' }, security: 'operator' },
    put: {
      summary: 'Registers or replaces a resource server',
      json: 'Resource',
      answers: { 200: 'Resource', 201: 'Resource' },
      security: 'operator',
    },
    delete: { summary: 'Deletes a resource server', answers: { 204: '' }, security: 'operator' },
  },
}
