/** Schemas of single members of a client. Each message completes a sentence that begins with the name of the member. */

import * as v from 'valibot'
import { isPlainText } from '../lib/plain_text.ts'
import { isFreeClaim, MAX_TOKEN_LIFETIME_SECONDS } from '../tokens/access_token.ts'
import { MAX_REUSE_SECONDS } from '../tokens/reuse.ts'

const MAX_CLAIMS_CHARACTERS = 4096

/** Returns the schema of a string of 1 to `most` characters. */
export const upTo = (most: number): v.GenericSchema<string> =>
  v.pipe(
    v.string('must be a string'),
    v.nonEmpty('must not be empty'),
    v.maxLength(most, `must have at most ${most} characters`),
  )

/** Returns the schema of a list of at most `most` items. */
export const listOf = <T>(item: v.GenericSchema<T>, most: number): v.GenericSchema<T[]> =>
  v.pipe(v.array(item, 'must be a list'), v.maxLength(most, `must have at most ${most} items`))

/** The check of text that people read. */
export const checkPlain: v.CheckAction<string, string> = v.check(
  isPlainText,
  'must not contain invisible characters or mix scripts that look alike',
)

/** Text that people read. */
export const Plain: v.GenericSchema<string> = v.pipe(upTo(200), checkPlain)

/** URL of a page or an image for people. */
export const PageUrl: v.GenericSchema<string> = v.pipe(
  upTo(2048),
  v.check((url) => /^https?:/.test(url) && URL.canParse(url), 'must be an http or https URL'),
)

/** A JWK Set, RFC 7517 §5. The requirements for its keys depend on the authentication method. */
export const Keys: v.GenericSchema<unknown, { keys: Record<string, unknown>[] }> = v.object(
  {
    keys: v.pipe(listOf(v.record(v.string(), v.unknown(), 'must be an object'), 20), v.minLength(1, 'must have a key')),
  },
  'must be a JWK Set',
)

/** Which grant types are offered depends on the server. */
export const GrantTypes: v.GenericSchema<string[]> = listOf(v.string('must be a string'), 20)

/** A lifetime in seconds. */
export const Lifetime: v.GenericSchema<number> = v.pipe(
  v.number('must be a number of seconds'),
  v.integer('must be whole seconds'),
  v.minValue(1, 'must be at least 1'),
  v.maxValue(MAX_TOKEN_LIFETIME_SECONDS, `must be at most ${MAX_TOKEN_LIFETIME_SECONDS}`),
)

/** How long tokens are reused, in seconds. */
export const ReuseSeconds: v.GenericSchema<number> = v.pipe(
  v.number('must be a number of seconds'),
  v.integer('must be whole seconds'),
  v.minValue(0, 'must be at least 0'),
  v.maxValue(MAX_REUSE_SECONDS, `must be at most ${MAX_REUSE_SECONDS}`),
)

/** Static claims of the tokens of a client. */
export const Claims: v.GenericSchema<unknown, Record<string, unknown>> = v.pipe(
  v.unknown(),
  v.check((claims) => !Array.isArray(claims), 'must be an object'),
  v.record(v.string(), v.unknown(), 'must be an object'),
  v.check((claims) => Object.keys(claims).every(isFreeClaim), 'must not contain a claim that only the server sets'),
  v.check(
    (claims) => JSON.stringify(claims).length <= MAX_CLAIMS_CHARACTERS,
    `must have at most ${MAX_CLAIMS_CHARACTERS} characters as JSON`,
  ),
)
