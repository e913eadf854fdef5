/** An operation has not settled in time. */
export class TimeoutError extends Error {}

/** Returns the result of `operation`. Rejects with a TimeoutError of this text if it has not settled after `seconds`. */
export async function within<T>(seconds: number, operation: Promise<T>, text: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new TimeoutError(text)), seconds * 1000)
  })
  try {
    return await Promise.race([operation, limit])
  } finally {
    clearTimeout(timer)
  }
}
