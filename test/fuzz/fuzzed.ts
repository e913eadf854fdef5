/** What is fuzzed: a reader of foreign input, how its inputs are made, and what must be true of each. */

import assert from 'node:assert/strict'
import fc from 'fast-check'
import { CASES } from './cases.ts'

/** A reader of foreign input. */
export interface Fuzzed {
  readonly name: string
  /**
   * Checks `count` inputs, after those that once failed.
   *
   * @returns the failure as text, with the seed that finds it again, or undefined
   */
  run(count: number, seed: number): Promise<string | undefined>
}

/**
 * Returns a reader under the name of its cases.
 *
 * @param check throws unless the reader did what it must with this input
 */
export function fuzzed<T>(name: string, inputs: fc.Arbitrary<T>, check: (input: T) => void | Promise<void>): Fuzzed {
  const kept = (CASES[name] ?? []) as readonly T[]
  return {
    name,
    async run(count, seed) {
      const property = fc.asyncProperty(inputs, async (input) => check(input))
      const examples = kept.map((input): [T] => [input])
      const details = await fc.check(property, { numRuns: count + examples.length, seed, examples })
      return details.failed ? `${fc.defaultReportMessage(details)}\n${details.errorInstance}` : undefined
    },
  }
}

/** The result of a reader, or that it refused its input. */
export type Read<T> = { readonly value: T } | undefined

type ErrorClass = abstract new (...values: never[]) => Error

/** Returns what a reader returns, undefined when it throws one of the errors that it declares. Any other error passes. */
export function readOr<T>(read: () => T, ...declared: readonly ErrorClass[]): Read<T> {
  try {
    return { value: read() }
  } catch (error) {
    if (declared.some((each) => error instanceof each)) return undefined
    throw error
  }
}

/** As {@link readOr}, for a reader that returns a promise. */
export async function readLater<T>(read: () => Promise<T>, ...declared: readonly ErrorClass[]): Promise<Read<T>> {
  try {
    return { value: await read() }
  } catch (error) {
    if (declared.some((each) => error instanceof each)) return undefined
    throw error
  }
}

/** A change of a text: at a place, some characters give way to others. */
export interface Edit {
  readonly at: number
  readonly removed: number
  readonly inserted: string
}

const MAX_EDITS = 4

/** Makes lists of edits that insert some of these pieces. Half of the lists are empty or short. */
export function edits(pieces: readonly string[]): fc.Arbitrary<readonly Edit[]> {
  const inserted = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('', ...pieces) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 3 }) },
  )
  const edit = fc.record({ at: fc.nat({ max: 10_000 }), removed: fc.nat({ max: 3 }), inserted })
  return fc.array(edit, { maxLength: MAX_EDITS })
}

/** Returns the text with all edits, each at its place modulo the length. */
export function edited(text: string, changes: readonly Edit[]): string {
  return changes.reduce((now, { at, removed, inserted }) => {
    const place = at % (now.length + 1)
    return now.slice(0, place) + inserted + now.slice(place + removed)
  }, text)
}

/** Returns the octets of a text whose characters are octets. */
export function octetsOf(latin1: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(latin1, (character) => character.charCodeAt(0) & 0xff)
}

/** Returns a text whose characters are the octets. */
export function latin1Of(octets: Uint8Array | readonly number[]): string {
  return Array.from(octets, (octet) => String.fromCharCode(octet)).join('')
}

/** Returns the UTF-8 octets of a text, as a text of octets. */
export function utf8Of(text: string): string {
  return latin1Of(new TextEncoder().encode(text))
}

/** Joins some of these pieces, and arbitrary ones. */
export function pieces(parts: readonly string[], maxLength = 12): fc.Arbitrary<string> {
  const one = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...parts) },
    { weight: 1, arbitrary: fc.nat({ max: 255 }).map((code) => String.fromCharCode(code)) },
  )
  return fc.array(one, { maxLength }).map((all) => all.join(''))
}

/** Fails where the oracle and the reader disagree on whether to accept an input. */
export function sameVerdict(read: Read<unknown>, isGood: boolean): void {
  assert.equal(read !== undefined, isGood, isGood ? 'refused what is good' : 'accepted what is not good')
}
