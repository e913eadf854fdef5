/** A time limit for what may hang. */

/** Rejects with an Error of this text when `operation` has not ended after `seconds`. */
export async function within<T>(seconds: number, operation: Promise<T>, text: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(text)), seconds * 1000)
  })
  try {
    return await Promise.race([operation, limit])
  } finally {
    clearTimeout(timer)
  }
}
