/** Text from a file or from standard input. */

import { readFileSync } from 'node:fs'
import process from 'node:process'
import { text } from 'node:stream/consumers'
import { jsonObject } from './arguments.ts'
import { CliError } from './errors.ts'

/** The name that stands for standard input. */
export const STDIN = '-'

/** Returns the text of a file, or of standard input for `-`. @throws CliError `usage` if it cannot be read */
export async function readInputFile(file: string): Promise<string> {
  try {
    return file === STDIN ? await text(process.stdin) : readFileSync(file, 'utf8')
  } catch (error) {
    throw new CliError('usage', `${file}: ${error instanceof Error ? error.message : error}`)
  }
}

/** Returns the JSON object in a file or in standard input. @throws CliError `usage` if there is none */
export async function readJsonFile(file: string): Promise<Record<string, unknown>> {
  const content = await readInputFile(file)
  try {
    return jsonObject(content)
  } catch (error) {
    const name = file === STDIN ? 'standard input' : file
    throw new CliError('usage', `${name}: ${error instanceof Error ? error.message : error}`)
  }
}
