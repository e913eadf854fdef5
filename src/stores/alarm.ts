/** The single alarm of a Durable Object, shared by everything that schedules work. */

/** The part of an object's storage that is used. Instants are epoch milliseconds. */
export interface Alarms {
  getAlarm(): Promise<number | null>
  setAlarm(at: number): Promise<void>
}

/** Makes the alarm go off within `seconds`. An earlier alarm stays. */
export async function wakeWithin(storage: Alarms, seconds: number): Promise<void> {
  const at = Date.now() + seconds * 1000
  const set = await storage.getAlarm()
  if (set === null || set > at) await storage.setAlarm(at)
}
