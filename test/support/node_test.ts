/** The test functions on Node, Deno and Bun, which all have `node:test`; Vitest's stand in on workerd. */
export { describe, test } from 'node:test'
