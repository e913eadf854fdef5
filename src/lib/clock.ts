/** Returns epoch seconds, milliseconds as a fraction, by the clock of the runtime. Called during requests only: in the global scope of a Worker it is 0. */
export function preciseSeconds(): number {
  return Date.now() / 1000
}

/** Returns epoch seconds as a whole number. The same is true of it. */
export function epochSeconds(): number {
  return Math.floor(Date.now() / 1000)
}
