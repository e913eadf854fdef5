/** A token request and its expected answer, as plain data. The tests send it in process on every runtime. */

import type { ErrorCode } from '../../src/error_codes.ts'
import type { Reason } from '../../src/reasons.ts'

export interface TokenCase {
  readonly name: string
  /** Source of the expectation. */
  readonly see: string
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  /** `Authorization: Basic` of id and secret, each form-encoded. */
  readonly basic?: readonly [id: string, secret: string]
  /** `Authorization: Basic` of this text, not form-encoded. */
  readonly rawBasic?: string
  readonly form?: readonly (readonly [name: string, value: string])[]
  /** Octets of the body, one per character, instead of `form`. */
  readonly body?: string
  readonly expect: Success | Refusal
}

interface Success {
  readonly status: 200
  readonly scope?: string
  readonly expires_in?: number
  readonly aud?: string | readonly string[]
}

interface Refusal {
  readonly status: 400 | 401 | 404 | 405 | 413 | 415 | 503
  readonly error?: ErrorCode
  readonly reason?: Reason
  readonly headers?: Readonly<Record<string, string>>
}
