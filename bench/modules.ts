/** The modules of the server evaluated, and nothing made of them. */

import { createServer } from '../src/start.ts'

const handler: { fetch(request: Request): Response } = { fetch: () => new Response(createServer.name) }
export default handler
