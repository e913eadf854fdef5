/** Rules as they are stored. Apart from `rule_checks.ts`, so that a server without registration does not hold the checks. */

import * as v from 'valibot'
import type { ClaimRule, ClaimRules } from '../types.ts'

/** Schema of stored rules: their type only. */
export const StoredRules: v.GenericSchema<unknown, ClaimRules> = v.custom<ClaimRules>(
  (value) => isObject(value) && Object.values(value).every(isRule),
  'must be rules',
)

/** Returns whether a value is an object and not a list. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Returns whether a value has the form of a rule. */
export function isRule(value: unknown): value is ClaimRule {
  if (isObject(value)) return Object.keys(value).length === 1 && typeof value['glob'] === 'string'
  if (Array.isArray(value)) return value.length > 0 && value.every((each) => typeof each === 'string')
  return typeof value === 'string' || typeof value === 'boolean' || Number.isSafeInteger(value)
}
