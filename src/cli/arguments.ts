/** Parsers of arguments and options for commander. */

import { InvalidArgumentError } from 'commander'
import { MAX_JSON_LEVELS, parseJson } from '../lib/json.ts'
import { isDeeper } from './levels.ts'

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86400 }

const MAX_LIMIT_SECONDS = 86400

/** Refuses an empty argument, which usually comes from an unset shell variable. */
export function nonEmpty(text: string): string {
  if (text === '') throw new InvalidArgumentError('It must not be empty.')
  return text
}

/** Collects the values of an option that may be repeated. */
export function repeated(value: string, before: string[] = []): string[] {
  return [...before, value]
}

export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.')
  return Number(text)
}

/** Returns the seconds of a time limit, at most a day: timers of Node hold no more than 24 days, and are over at once beyond. */
export function timeLimit(text: string): number {
  const seconds = wholeNumber(text)
  if (seconds < 1 || seconds > MAX_LIMIT_SECONDS)
    throw new InvalidArgumentError(`It must be 1 to ${MAX_LIMIT_SECONDS} seconds.`)
  return seconds
}

/** Returns the seconds of a duration such as `90s`, `15m`, `24h` or `7d`. */
export function duration(text: string): number {
  const [, number, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  const factor = UNITS[unit]
  if (number === undefined || factor === undefined)
    throw new InvalidArgumentError('It must be a duration such as 90s, 15m, 24h or 7d.')
  return Number(number) * factor
}

export function jsonObject(text: string): Record<string, unknown> {
  const value = parseJson(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidArgumentError('It must be a JSON object.')
  }
  if (isDeeper(value, MAX_JSON_LEVELS)) {
    throw new InvalidArgumentError(`It must not have more than ${MAX_JSON_LEVELS} levels of objects and lists.`)
  }
  return value as Record<string, unknown>
}
