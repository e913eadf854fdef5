/** Commands that a message proposes to the operator. */

/** Returns a text as one word of a shell, quoted if it has to be. */
export function shellWord(text: string): string {
  return /^[\w.:/@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

/** Returns a command of `edgemint` as it is typed in a shell. */
export function commandLine(...words: readonly string[]): string {
  return ['npx edgemint', ...words.map(shellWord)].join(' ')
}
