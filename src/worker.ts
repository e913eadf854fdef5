/**
 * The entry of a Worker whose project depends on the package: `export { default, Ledger } from 'edgemint/worker'`. Settings and
 * stores are the bindings of wrangler.toml.
 */

import { Ledger, start } from './runtime/cloudflare.ts'
import type { Handler } from './runtime/runtime.ts'
import { createServer } from './start.ts'

const handler: Handler = await start(createServer, true)

export { Ledger }
export default handler
