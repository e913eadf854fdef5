/** A runtime whose clock must not be read, as in the global scope of a deployed Worker, where it stands at 0. */

/** Whether the test runner called: on workerd it shares the globals with what it tests. */
function isRunner(): boolean {
  const [, , , caller = ''] = (new Error().stack ?? '').split('\n')
  return caller.includes('vitest')
}

/** Runs `work` while every read of the runtime's clock throws. */
export async function withoutClock<T>(work: () => Promise<T>): Promise<T> {
  const [RealDate, realNow] = [globalThis.Date, performance.now.bind(performance)]
  const refuse =
    <R>(read: () => R) =>
    (): R => {
      if (isRunner()) return read()
      throw new Error('the clock was read before the first request')
    }
  globalThis.Date = new Proxy(RealDate, {
    apply: refuse(() => RealDate()),
    construct: (target, values) =>
      values.length === 0 ? refuse(() => new RealDate())() : Reflect.construct(target, values),
    get: (target, name) => (name === 'now' ? refuse(RealDate.now) : Reflect.get(target, name)),
  })
  performance.now = refuse(realNow)
  try {
    return await work()
  } finally {
    globalThis.Date = RealDate
    performance.now = realNow
  }
}
