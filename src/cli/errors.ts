/** Exit codes of failed commands. */
export const EXIT = { refused: 1, usage: 2, unreachable: 3, declined: 4, internal: 5, interrupted: 130 } as const

export type Failure = keyof typeof EXIT

/** An error that the command line reports in one line, with the exit code of its kind. */
export class CliError extends Error {
  readonly kind: Failure

  constructor(kind: Failure, message: string) {
    super(message)
    this.kind = kind
  }
}
