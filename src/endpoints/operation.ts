/** The description of an endpoint in the OpenAPI document: one operation for each method of each path. */

import type * as v from 'valibot'
import type { Parameter } from '../features.ts'

/** A schema with its name in the document: the Valibot schema that validates the body, or a JSON Schema. */
export interface NamedSchema {
  readonly name: string
  readonly schema: v.GenericSchema<unknown, unknown> | Readonly<Record<string, unknown>>
}

/** Parameters of a query or form, by name. */
export type Parameters = Readonly<Record<string, Parameter>>

/** The body of a successful response. */
export interface Answer {
  /** Media type; absent for JSON. */
  readonly type?: string
  readonly schema: NamedSchema
}

/** The credentials required: those of a client, the operator's token, or a registration access token. */
export type Security = 'client' | 'operator' | 'registration'

/** One method of one path. */
export interface Operation {
  /** Unique in the document, in camelCase. */
  readonly operationId: string
  readonly tag: string
  readonly summary: string
  /** The parameters of the query. */
  readonly query?: Parameters
  /** The parameters of a form-encoded body. */
  readonly form?: Parameters
  /** The schema of a JSON body. */
  readonly json?: NamedSchema
  /** An example of the request body or, if the request has none, of the response body. */
  readonly example: unknown
  /** Successful responses by status; `null` for a response without a body. */
  readonly answers: Readonly<Record<number, Answer | null>>
  /** Statuses of error responses, whose body is that of RFC 6749 §5.2. */
  readonly errors: readonly number[]
  readonly security?: Security
}

/** Operations by path below the issuer, with parameters as `{name}`, and by method in lower case. */
export type Operations = Readonly<Record<string, Readonly<Record<string, Operation>>>>

/** Client credentials in a form. Other credentials are in headers or in the connection. */
export const CREDENTIALS: Parameters = {
  client_id: {},
  client_secret: {},
  client_assertion_type: {},
  client_assertion: {},
}

/** Query parameters of a list of records. */
export const PAGE: Parameters = {
  limit: { description: '1 to 1000, by default 100.' },
  cursor: { description: 'The next_cursor of the previous page.' },
}

/** Returns the JSON Schema of an object. Required members are strings unless `members` has a schema for them. */
export function objectSchema(
  required: readonly string[],
  members: Readonly<Record<string, object>> = {},
): Readonly<Record<string, unknown>> {
  const properties = { ...Object.fromEntries(required.map((name) => [name, { type: 'string' }])), ...members }
  return { type: 'object', properties, required: [...required] }
}
