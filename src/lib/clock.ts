/** Returns epoch seconds by the clock of the runtime. Called during requests only: in the global scope of a Worker it is 0. */
export function epochSeconds(): number {
  return Math.floor(Date.now() / 1000)
}
