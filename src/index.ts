/** The entry point on every runtime: `wrangler dev`, `wrangler deploy`, `deno run`, `deno serve`, `bun run` and `node` run it. */

import { Ledger, start } from '#runtime'
import { createServer } from './start.ts'

const handler: Awaited<ReturnType<typeof start>> = await start(createServer, import.meta.main)

export { Ledger }
export default handler
