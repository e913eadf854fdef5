/** What is probably not meant by the operator, and does not keep the server from running. */

import { settingNames } from './config.ts'
import type { Setting } from './config_types.ts'
import { editDistance } from './lib/edit_distance.ts'

/** Shorter names are too similar to variables of other programs, such as HOSTS and PORTS. */
const MIN_NAME_LENGTH = 6

/** From this length on, a name with two mistakes is still unlikely to be another word. */
const LONG_NAME_LENGTH = 12

/** Returns a sentence for each variable that is probably a misspelled setting, and for an issuer that ends with a slash. */
export function settingWarnings(environment: Readonly<Record<string, unknown>>): readonly string[] {
  const misspelled = Object.keys(environment).flatMap((name) => {
    const meant = settingMeantBy(name, environment)
    return meant === undefined ? [] : [`${name} is not a setting; did you mean ${meant}?`]
  })
  return [...misspelled, ...issuerWarnings(environment['ISSUER'])]
}

/** A setting that has a value is not missed, so a similar variable belongs to another program. */
function settingMeantBy(name: string, environment: Readonly<Record<string, unknown>>): Setting | undefined {
  if (settingNames.some((setting) => setting === name)) return undefined
  return settingNames.find(
    (setting) =>
      setting.length >= MIN_NAME_LENGTH &&
      !environment[setting] &&
      editDistance(name.toUpperCase(), setting) <= (setting.length < LONG_NAME_LENGTH ? 1 : 2),
  )
}

function issuerWarnings(issuer: unknown): readonly string[] {
  if (typeof issuer !== 'string' || !issuer.endsWith('/')) return []
  return [
    'ISSUER ends with a slash, so the iss of every token does too, and resource servers must expect it with the slash',
  ]
}
