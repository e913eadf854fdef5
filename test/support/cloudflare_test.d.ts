/** What is used of the module that the Vitest plugin provides. */
declare module 'cloudflare:test' {
  import type { DurableObjectState } from 'cloudflare:workers'

  export function runInDurableObject<T>(
    stub: unknown,
    use: (instance: unknown, state: DurableObjectState) => T | Promise<T>,
  ): Promise<T>
  export function runDurableObjectAlarm(stub: unknown): Promise<boolean>
}
