/** Reads and prints the trusted issuers of the server. */

import * as v from 'valibot'
import { isPrivate } from '../assertions/public_members.ts'
import { isPublicUrl } from '../assertions/remote_keys.ts'
import { type PresetName, presetOf, usualIssuerOf } from '../issuers/presets.ts'
import { ISSUERS, IssuerId } from '../issuers/registry.ts'
import type { TrustedIssuer } from '../types.ts'
import { accept, listOf, type Send } from './api.ts'
import { CliError } from './errors.ts'
import { type Answer, isObject, type Members, malformed, type ServerOptions } from './http.ts'
import { readJsonFile } from './input_file.ts'
import { printJson, printMembers, printTable } from './output.ts'
import { commandLine, shellWord } from './shell_word.ts'

/** Returns the path of an issuer's record. @throws CliError `usage` for what cannot be an issuer */
export function issuerPath(issuer: string): string {
  const read = v.safeParse(IssuerId, issuer)
  if (read.success) return `/issuers/${encodeURIComponent(issuer)}`
  throw new CliError('usage', `the issuer ${issuer} ${read.issues[0].message}`)
}

/** Returns the record of an issuer, undefined if there is none. */
export async function findIssuer(send: Send, issuer: string): Promise<TrustedIssuer | undefined> {
  const answer = await send('GET', issuerPath(issuer))
  if (isMissing(answer)) return undefined
  const read = v.safeParse(ISSUERS.schema, accept(answer))
  if (!read.success || read.output.issuer !== issuer) malformed('it is not the record of the issuer')
  return read.output
}

/** Returns whether a response says that there is no such issuer, and not that the server has no `/issuers`. */
export function isMissing({ status, body: { error_description } }: Answer): boolean {
  return status === 404 && !String(error_description).includes('this path')
}

/**
 * Returns the record of an issuer.
 *
 * @param preset of the platform, if the operator named it
 * @throws CliError `refused` with the command that registers it, if there is none
 */
export async function requireIssuer(send: Send, issuer: string, preset?: PresetName): Promise<TrustedIssuer> {
  const found = await findIssuer(send, issuer)
  if (found !== undefined) return found
  const other = issuer.endsWith('/') ? issuer.slice(0, -1) : `${issuer}/`
  const isOther = v.is(IssuerId, other) && (await findIssuer(send, other)) !== undefined
  const hint = isOther
    ? `${other} is one, and the final slash counts: use it if the tokens have it in iss. Else register this one`
    : 'Register it first'
  throw new CliError('refused', `${issuer} is not a trusted issuer. ${hint}: ${registration(issuer, preset)}`)
}

/**
 * Returns the command that registers an issuer.
 *
 * @param preset of its platform; by default the one that the issuer must have
 * @param keys name of the file with its keys; by default the server fetches them where it can
 */
export function registration(issuer: string, preset: PresetName | undefined = presetOf(issuer), keys?: string): string {
  const named = preset === undefined || preset === 'spiffe' ? [] : ['--preset', preset]
  const isUsual = preset !== undefined && usualIssuerOf(preset) === issuer
  const command = commandLine('issuers', 'create', ...(isUsual ? [] : [issuer]), ...named)
  if (keys !== undefined) return `${command} --jwks ${shellWord(keys)}`
  if (preset === 'spiffe') return `${command} --spiffe-bundle-endpoint URL`
  return isPublicUrl(issuer) ? command : `kubectl get --raw /openid/v1/jwks | ${command} --jwks -`
}

/**
 * Returns the public keys in a file or in standard input.
 *
 * @throws CliError `usage` if it is no JWK Set, or holds a private key, which must not leave this machine
 */
export async function readPublicKeys(file: string): Promise<Members> {
  const value = await readJsonFile(file)
  const { keys } = value
  const name = file === '-' ? 'standard input' : file
  if (!Array.isArray(keys) || !keys.every(isObject))
    throw new CliError('usage', `${name} is not a JWK Set, {"keys":[…]}`)
  if (keys.some(isPrivate))
    throw new CliError('usage', `${name} holds a private or symmetric key; nothing was sent. An issuer has public keys`)
  return value
}

/** Returns where the keys of an issuer come from. */
export function keysText({ jwks, jwks_uri, discovery_uri, spiffe_bundle_endpoint }: Members): unknown {
  if (isObject(jwks)) return 'inline'
  return jwks_uri ?? spiffe_bundle_endpoint ?? discovery_uri ?? 'discovery'
}

/** Prints a record, with its keys as a table. */
export function printIssuer(issuer: Members, { json }: ServerOptions): void {
  if (json) {
    printJson(issuer)
    return
  }
  const { jwks, ...members } = issuer
  printMembers(members)
  if (!isObject(jwks)) return
  const names = ['kid', 'kty', 'alg', 'use']
  printTable(
    names,
    listOf(jwks, 'keys').map((key) => names.map((name) => key[name])),
  )
}
