/** The forms of the values of settings, which arrive as texts. */

import * as v from 'valibot'
import { ALGORITHMS } from './keys/algorithms.ts'
import { keyEncryptionProblem } from './keys/key_encryption.ts'
import { isAddress, isRange } from './lib/ip_address.ts'
import { isLoopback } from './lib/loopback.ts'

/** Each runtime supports some of these schemes. */
const STORE_URLS = /^(memory:|sqlite:[^:].*|rediss?:\/\/.+|denokv:.*)$/

/** RFC 6750 §2.1, and too long to be guessed. */
export const BEARER: RegExp = /^[\w.~+/-]{32,256}=*$/

/** RFC 9116 §2.5.3. Each becomes a line of a file, so it is printable ASCII without spaces. */
const CONTACT = /^(?:mailto:[!-?A-~]+@[!-?A-~]+|https:\/\/[!-~]+|tel:\+?[\d().-]+)$/

export const IntegerText = (least: number, most: number): v.GenericSchema<string, number> =>
  v.pipe(
    v.string(),
    v.regex(/^\d{1,9}$/, `must be a whole number from ${least} to ${most}`),
    v.transform(Number),
    v.minValue(least, `must be at least ${least}`),
    v.maxValue(most, `must be at most ${most}`),
  )

export const BooleanText: v.GenericSchema<string, boolean> = v.pipe(
  v.picklist(['true', '1', 'false', '0'], 'must be true or false'),
  v.transform((text) => text === 'true' || text === '1'),
)

const ListText = v.pipe(
  v.string(),
  v.transform((text) => text.split(',').map((item) => item.trim())),
)

export const Ranges: v.GenericSchema<string, string[]> = v.pipe(
  ListText,
  v.everyItem(
    isRange,
    'must be comma-separated IP addresses and CIDR ranges, IPv4 as four decimal numbers without leading zeros',
  ),
)

export const Contacts: v.GenericSchema<string, string[]> = v.pipe(
  ListText,
  v.everyItem(
    (text) => CONTACT.test(text) && URL.canParse(text),
    'must be comma-separated URIs: mailto:ADDRESS, https://… or tel:+NUMBER',
  ),
)

const MAX_ROTATION_DAYS = 400

/** Days; undefined for `off`. */
export const RotationDays: v.GenericSchema<string, number | undefined> = v.pipe(
  v.string(),
  v.regex(/^(off|[1-9]\d{0,2})$/, `must be a whole number from 1 to ${MAX_ROTATION_DAYS}, or off`),
  v.transform((text) => (text === 'off' ? undefined : Number(text))),
  v.check((days) => days === undefined || days <= MAX_ROTATION_DAYS, `must be at most ${MAX_ROTATION_DAYS}`),
)

export const SigningAlgs: v.GenericSchema<string, string[]> = v.pipe(
  ListText,
  v.everyItem(
    (alg) => ALGORITHMS.has(alg),
    `must be comma-separated algorithms out of ${[...ALGORITHMS.keys()].join(', ')}`,
  ),
  v.check((algs) => new Set(algs).size === algs.length, 'names an algorithm twice'),
)

export const KeyEncryptionText: v.GenericSchema<string> = v.pipe(
  v.string(),
  v.rawCheck(({ dataset, addIssue }) => {
    const problem = dataset.typed ? keyEncryptionProblem(dataset.value) : undefined
    if (problem !== undefined) addIssue({ message: problem })
  }),
)

/** An IP address or a host name. */
export const HostName: v.GenericSchema<string> = v.pipe(
  v.string(),
  v.check(
    (text) => isAddress(text) || /^[a-z\d]([a-z\d.-]*[a-z\d])?$/i.test(text),
    'must be an IP address or a host name, without a port',
  ),
)

export const Issuer: v.GenericSchema<string> = v.pipe(
  v.string(),
  v.check((text) => URL.canParse(text), 'must be a URL'),
  v.check((text) => !/[?#]/.test(text), 'must have no query and no fragment'),
  v.check((text) => isIssuer(new URL(text)), 'must be https (http only on a loopback host), without a user name'),
  v.check(
    (text) => [text, `${text}/`].includes(new URL(text).href),
    'must be written in normal form: lower-case host, no default port',
  ),
)

/** Validated here because the URL errors of some runtimes quote the URL with its password. */
export const StoreUrl: v.GenericSchema<string> = v.pipe(
  v.string(),
  v.regex(STORE_URLS, 'must be sqlite:PATH, redis://…, rediss://…, denokv:PATH or memory:'),
  v.check(
    (text) => !/^(sqlite|denokv):(\/\/|\s|.*\s$)/.test(text),
    'must have the path of a file right after sqlite: or denokv:, without // and without a space around it',
  ),
  v.check(
    (text) => !/^rediss?:/.test(text) || isRedisUrl(text),
    'must be redis://USER:PASSWORD@HOST:PORT/DATABASE, where only the host is required and reserved characters in the password are percent-encoded',
  ),
)

/** @see {@link https://www.rfc-editor.org/rfc/rfc8414#section-2 RFC 8414 §2} */
function isIssuer({ protocol, hostname, username, password }: URL): boolean {
  const isSecure = protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname))
  return isSecure && username === '' && password === ''
}

/** A raw `/`, `?` or `#` in a password ends the authority early, and the rest would be read as another part of the URL. */
function isRedisUrl(text: string): boolean {
  if (/[\s\\?#]/.test(text) || /%(?![\da-f]{2})/i.test(text) || !URL.canParse(text)) return false
  const { hostname, pathname } = new URL(text)
  return hostname !== '' && /^(\/\d*)?$/.test(pathname)
}

/** Returns the values of an environment that are set. An empty variable counts as absent. */
export function givenTexts(
  environment: Readonly<Record<string, unknown>>,
  names: readonly string[],
): Readonly<Record<string, unknown>> {
  const entries = names.flatMap((name) => {
    const value = environment[name]
    // A Worker's variable may be a number or a boolean.
    const text = typeof value === 'number' || typeof value === 'boolean' ? String(value) : value
    return text === undefined || text === '' ? [] : [[name, text]]
  })
  return Object.fromEntries(entries)
}
