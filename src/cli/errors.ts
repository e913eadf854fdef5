/** What a command ends with when it does not end well. */

export const EXIT = { refused: 1, usage: 2, unreachable: 3, declined: 4 } as const

/** One line for the person at the terminal, and the exit code. */
export class CliError extends Error {
  readonly exitCode: number

  constructor(kind: keyof typeof EXIT, message: string) {
    super(message)
    this.exitCode = EXIT[kind]
  }
}
