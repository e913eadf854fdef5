/** What rules must be to be stored: well-formed, and about something that only the intended workload can have. */

import * as v from 'valibot'
import type { ClaimRules, TrustedIssuer } from '../types.ts'
import { isGlob, pathOf, REST } from './claim_rules.ts'
import { requiredClaimsOf } from './presets.ts'
import { readSpiffeId } from './spiffe_id.ts'
import { isObject, isRule } from './stored_rules.ts'

const MAX_RULES = 20
const MAX_VALUES = 50
const MAX_CHARACTERS = 1024
const MAX_STARS = 8

/** Names whose values are ids, which have no parts. */
const IDS = /^(iss|aud)$|(_id|-id|Uuid)$/

/** Names that valibot, and some other parsers, leave out of an object. */
const UNUSABLE: ReadonlySet<string> = new Set(['__proto__', 'prototype', 'constructor'])

/** The name of a claim: a top-level member, or a JSON pointer to a member of an object in it. */
export const ClaimName: v.GenericSchema<string> = v.pipe(
  v.string('must be a string'),
  v.nonEmpty('must not be empty'),
  v.maxLength(256, 'must have at most 256 characters'),
  v.check((name) => !pathOf(name).some((part) => UNUSABLE.has(part)), 'must not be the name of a part of all objects'),
  v.check(
    (name) => !/~(?![01])/.test(name.startsWith('/') ? name : ''),
    'must write ~ as ~0 and / as ~1 in a JSON pointer',
  ),
  v.check(
    (name) => !name.startsWith('/') || pathOf(name).length > 1 || pathOf(name)[0]?.startsWith('/') === true,
    'must be written without its slash, because it is a top-level member',
  ),
)

/** Claims that all tokens of an issuer for this server have in common, or that differ in each of them. */
const OF_EVERY_TOKEN: ReadonlySet<string | undefined> = new Set(['iss', 'aud', 'exp', 'iat', 'nbf', 'jti'])

/** The name of a claim that a rule may be required to pin. */
export const RequiredClaim: v.GenericSchema<string> = v.pipe(
  ClaimName,
  v.check((name) => !OF_EVERY_TOKEN.has(pathOf(name)[0]), 'must be a claim that tells one workload from another'),
)

/**
 * Schema of the rules of one credential. Each message completes a sentence that begins with their name. A schema of valibot for
 * records would leave some names out, and so widen what the rules allow.
 */
export const Rules: v.GenericSchema<unknown, ClaimRules> = v.pipe(
  v.custom<ClaimRules>(isObject, 'must be an object'),
  v.rawCheck(({ dataset, addIssue }) => {
    const problem = dataset.typed ? problemOfForm(dataset.value) : undefined
    if (problem !== undefined) addIssue({ message: problem })
  }),
  v.description('Rules by the name of a claim or a JSON pointer: a value, a list of strings, or an object with glob.'),
)

function problemOfForm(rules: Readonly<Record<string, unknown>>): string | undefined {
  const entries = Object.entries(rules)
  if (entries.length === 0) return 'must have a rule'
  if (entries.length > MAX_RULES) return `must have at most ${MAX_RULES} rules`
  for (const [name, rule] of entries) {
    const read = v.safeParse(ClaimName, name)
    const problem = read.success ? problemOfRule(name, rule) : read.issues[0].message
    if (problem !== undefined) return `${JSON.stringify(name)} ${problem}`
  }
  return undefined
}

function problemOfRule(name: string, rule: unknown): string | undefined {
  if (!isRule(rule))
    return 'must be a string, a list of strings, a whole number, a boolean, or an object with glob alone'
  if (Array.isArray(rule) && rule.length > MAX_VALUES) return `must have at most ${MAX_VALUES} values`
  const texts = isGlob(rule) ? [rule.glob] : [rule].flat().map(String)
  if (texts.some(({ length }) => length > MAX_CHARACTERS)) return `must have at most ${MAX_CHARACTERS} characters`
  return isGlob(rule) ? problemOfGlob(name, rule.glob) : undefined
}

function problemOfGlob(name: string, glob: string): string | undefined {
  if (IDS.test(pathOf(name).at(-1) ?? '')) return 'must be exact, because it is an id'
  const stars = glob.endsWith(REST) ? glob.slice(0, -1) : glob
  if (!stars.includes('*')) return 'must have a * in its glob, or be a string'
  if (stars.includes(REST)) return 'must have ** at its end only'
  if (stars.split('*').length > MAX_STARS + 1) return `must have at most ${MAX_STARS} times * in its glob`
  const isFree = /(^|[^:/_.-])\*/.test(stars)
  return isFree
    ? 'must have a * only after one of : / - _ . because others could choose a name that begins alike'
    : undefined
}

/**
 * Returns what keeps rules from telling the intended workload from all others of the issuer, or undefined. Completes a sentence
 * that begins with the name of the rules.
 */
export function problemOfRules(rules: ClaimRules, issuer: TrustedIssuer): string | undefined {
  if (issuer.required_claims.some((name) => isPinned(name, rules, issuer))) return undefined
  const names = issuer.required_claims
  const [wanted, kind] = names.length === 1 ? [names[0], ''] : [`one of ${names.join(', ')}`, 'at least ']
  return `must pin ${kind}${wanted} to an exact value, because what the rules name can be had by other parties, too`
}

function isPinned(name: string, rules: ClaimRules, { issuer, preset }: TrustedIssuer): boolean {
  const rule = Object.hasOwn(rules, name) ? rules[name] : undefined
  if (rule === undefined || typeof rule === 'boolean') return false
  // Only the parties of a trust domain choose paths in it.
  if (isGlob(rule)) return preset === 'spiffe' && name === 'sub' && rule.glob.startsWith(`${issuer}/`)
  return ![rule].flat().includes('')
}

/** Claims that are always a string. */
const TEXTS: readonly string[] = ['iss', 'sub', 'aud']

/**
 * Returns why rules can hold for no token of the issuer, or undefined if they may. Completes a sentence that begins with the name
 * of the rules.
 */
export function whyNeverHeld(rules: ClaimRules, issuer: TrustedIssuer): string | undefined {
  const texts = [...TEXTS, ...(requiredClaimsOf(issuer) ?? [])]
  const wrong = texts.find((name) => Object.hasOwn(rules, name) && ['number', 'boolean'].includes(typeof rules[name]))
  if (wrong !== undefined)
    return `must have a string for ${wrong}, because that is what tokens have, such as "74" for 74`
  const { sub } = rules
  if (issuer.preset !== 'spiffe' || sub === undefined || typeof sub === 'number' || typeof sub === 'boolean')
    return undefined
  const ids = isGlob(sub) ? [sub.glob.replaceAll('*', 'x')] : [sub].flat()
  // Tokens are compared with their trust domain in lower case.
  const isOwn = ids.every((id) => id.startsWith(`${issuer.issuer}/`) && readSpiffeId(id) !== undefined)
  return isOwn ? undefined : `must have a SPIFFE ID of this trust domain for sub, such as ${issuer.issuer}/billing`
}
