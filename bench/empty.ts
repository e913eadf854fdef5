/** An empty module, for the start time of the runtime itself. */

const handler: { fetch(request: Request): Response } = { fetch: () => new Response('empty') }
export default handler
