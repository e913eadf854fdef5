/** Serves the default export of a module on Node, which the other runtimes do themselves: `node bench/on_node.ts MODULE`. */

import { resolve } from 'node:path'
import process from 'node:process'
import { serve } from '@hono/node-server'

const { default: handler } = await import(resolve(process.argv[2] ?? ''))
serve({ fetch: handler.fetch, port: Number(process.env['PORT']), hostname: '127.0.0.1' })
