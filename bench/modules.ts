/** Evaluates the modules of the server without creating a server. */

import { createServer } from '../src/start.ts'

const handler: { fetch(request: Request): Response } = { fetch: () => new Response(createServer.name) }
export default handler
