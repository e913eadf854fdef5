/** Where a process listens. */

import * as v from 'valibot'
import { BooleanText, givenTexts, HostName, IntegerText } from './config_values.ts'
import { isLoopbackAddress } from './lib/ip_address.ts'
import { isLoopback } from './lib/loopback.ts'

interface Listening {
  readonly PORT: v.GenericSchema<string | undefined, number>
  readonly HOST: v.GenericSchema<string | undefined, string | undefined>
  readonly DEV: v.GenericSchema<string | undefined, boolean>
}

/** The settings that decide where a process listens. */
export const LISTENING: Listening = {
  PORT: v.optional(IntegerText(0, 65535), '8080'),
  HOST: v.optional(HostName),
  DEV: v.optional(BooleanText, 'false'),
}

/** With one of these settings the server does not run in development. */
export const PRODUCTION_SETTINGS = ['ISSUER', 'SIGNING_KEYS', 'KEY_ENCRYPTION_KEYS'] as const

const AddressSettings = v.object({ ...LISTENING, DEV: v.fallback(LISTENING.DEV, false) })

/** An address to listen on. */
export interface Address {
  readonly port: number
  /** An IP address without brackets, or a host name; undefined for all interfaces. */
  readonly hostname?: string
}

/**
 * Returns where to listen, also if other settings are invalid: the server then answers 503. In development this is 127.0.0.1 by
 * default. Returns undefined if PORT or HOST is malformed, or HOST is refused in development, which `readConfig` reports.
 */
export function readAddress(environment: Readonly<Record<string, unknown>>): Address | undefined {
  const values = givenTexts(environment, [...PRODUCTION_SETTINGS, ...Object.keys(LISTENING)])
  const read = v.safeParse(AddressSettings, values)
  if (!read.success) return undefined
  const isDevelopment = read.output.DEV && PRODUCTION_SETTINGS.every((name) => values[name] === undefined)
  if (isDevelopment && !isDevHost(read.output.HOST)) return undefined
  const { PORT: port, DEV: dev, HOST: hostname = dev ? '127.0.0.1' : undefined } = read.output
  return hostname === undefined ? { port } : { port, hostname }
}

/** Returns whether development mode may listen there; undefined is its default. */
export function isDevHost(hostname = '127.0.0.1'): boolean {
  return isLoopback(hostname) || isLoopbackAddress(hostname)
}
