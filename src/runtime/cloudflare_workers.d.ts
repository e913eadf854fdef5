/** What is used of the module that workerd provides. */
declare module 'cloudflare:workers' {
  export const env: Readonly<Record<string, unknown>>
}
