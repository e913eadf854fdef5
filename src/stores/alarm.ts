/** The one alarm of a Durable Object, shared by all that have work for later. */

/** What is used of an object's storage. Instants are epoch milliseconds. */
export interface Alarms {
  getAlarm(): Promise<number | null>
  setAlarm(at: number): Promise<void>
}

/** Has the object woken within `seconds`: moves its alarm forward, never back. */
export async function wakeWithin(storage: Alarms, seconds: number): Promise<void> {
  const at = Date.now() + seconds * 1000
  const set = await storage.getAlarm()
  if (set === null || set > at) await storage.setAlarm(at)
}
