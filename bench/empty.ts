/** What a runtime takes to start when there is nothing to start. */

const handler: { fetch(request: Request): Response } = { fetch: () => new Response('empty') }
export default handler
