/** The part of workerd's built-in module that is used. */
declare module 'cloudflare:workers' {
  export const env: Readonly<Record<string, unknown>>

  /** Of the request that is being answered. */
  export function waitUntil(work: Promise<unknown>): void

  interface SqlCursor {
    one(): Readonly<Record<string, string | number | null>>
    toArray(): readonly Readonly<Record<string, string | number | null>>[]
  }

  export interface DurableObjectState {
    readonly storage: {
      readonly sql: { exec(query: string, ...bindings: (string | number | null)[]): SqlCursor }
      getAlarm(): Promise<number | null>
      setAlarm(epochMilliseconds: number): Promise<void>
    }
  }

  export abstract class DurableObject {
    constructor(ctx: DurableObjectState, env: unknown)
    protected readonly ctx: DurableObjectState
    alarm?(): Promise<void>
  }
}
