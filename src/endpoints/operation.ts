/** What an endpoint says of itself in the OpenAPI document: one operation for each method of each path. */

import type * as v from 'valibot'
import type { Parameter } from '../features.ts'

/** A schema with the name that it has in the document: the Valibot schema that checks it, or a JSON Schema. */
export interface NamedSchema {
  readonly name: string
  readonly schema: v.GenericSchema<unknown, unknown> | Readonly<Record<string, unknown>>
}

/** By name. */
export type Parameters = Readonly<Record<string, Parameter>>

export interface Answer {
  /** Media type; absent for JSON. */
  readonly type?: string
  readonly schema: NamedSchema
}

/** Who may ask: a client by its authentication method, the operator, or the client with its registration access token. */
export type Security = 'client' | 'operator' | 'registration'

export interface Operation {
  /** Unique in the document, in camelCase. */
  readonly operationId: string
  readonly tag: string
  readonly summary: string
  /** In the query. */
  readonly query?: Parameters
  /** The body, form-encoded. */
  readonly form?: Parameters
  /** The body, in JSON. */
  readonly json?: NamedSchema
  /** A body of the request, or where it has none, of the answer. */
  readonly example: unknown
  /** By status; `null` for an answer without a body. */
  readonly answers: Readonly<Record<number, Answer | null>>
  /** Statuses of the refusals, whose body is that of RFC 6749 §5.2. */
  readonly errors: readonly number[]
  readonly security?: Security
}

/** By path below the issuer, with parameters as `{name}`, and by method in lower case. */
export type Operations = Readonly<Record<string, Readonly<Record<string, Operation>>>>

/** Credentials of a client in a form; others are in headers or in the connection. */
export const CREDENTIALS: Parameters = {
  client_id: {},
  client_secret: {},
  client_assertion_type: {},
  client_assertion: {},
}

/** The parameters of a page of records. */
export const PAGE: Parameters = {
  limit: { description: '1 to 1000, 100 where it is absent.' },
  cursor: { description: 'The next_cursor of the page before.' },
}

/** A JSON Schema of an object whose members are strings, unless they are given a schema. */
export function objectSchema(
  required: readonly string[],
  members: Readonly<Record<string, object>> = {},
): Readonly<Record<string, unknown>> {
  const properties = { ...Object.fromEntries(required.map((name) => [name, { type: 'string' }])), ...members }
  return { type: 'object', properties, required: [...required] }
}
