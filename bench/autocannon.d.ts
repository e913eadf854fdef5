/** The part of autocannon that is used; the package has no types. */
declare module 'autocannon' {
  export interface Result {
    readonly '2xx': number
    readonly non2xx: number
    readonly errors: number
    readonly duration: number
    readonly latency: { readonly p50: number; readonly p99: number }
  }
  interface Request {
    readonly method: string
    readonly headers: Readonly<Record<string, string>>
    readonly body: string
    readonly setupRequest?: (request: Request) => Request
  }
  export default function autocannon(options: {
    url: string
    connections: number
    duration: number
    requests: readonly Request[]
  }): Promise<Result>
}
