/** Whole requests: forms and JSON with their headers, entity tags, pages. */

import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Context } from 'hono'
import { OAuthError } from '../../../src/errors.ts'
import { etagOf, requireMatch } from '../../../src/http/etag.ts'
import { readFormRequest } from '../../../src/http/form.ts'
import { readJson } from '../../../src/http/json.ts'
import { readPage } from '../../../src/http/page.ts'
import { memoryStores } from '../../../src/stores/memory.ts'
import { edited, edits, type Fuzzed, fuzzed, octetsOf, pieces, readLater, readOr } from '../fuzzed.ts'

const NAMES = ['Content-Type', 'Content-Encoding', 'If-Match', 'If-None-Match'] as const
type Headers = Readonly<Partial<Record<(typeof NAMES)[number], string>>>

/** Returns the context of a request, undefined where no request can have these headers. */
function contextOf(url: string, headers: Headers, body?: Uint8Array<ArrayBuffer>): Context | undefined {
  const method = body === undefined ? 'GET' : 'POST'
  return readOr(() => new Context(new Request(url, { method, headers, ...(body && { body }) })), TypeError)?.value
}

const TYPE = [';', ';charset=', 'utf-8', 'UTF-8', '"', 'latin1', 'iso-8859-1', ' ', ',', '=', 'application/json', '\t']
const types = fc
  .tuple(
    fc.constantFrom('application/x-www-form-urlencoded', 'application/json', 'text/plain', ''),
    fc.oneof(fc.constant([]), edits(TYPE)),
  )
  .map(([type, changes]) => edited(type, changes))
const codings = fc.constantFrom('', '', '', 'identity', 'gzip', 'IDENTITY', 'br, gzip')
const FORM = ['a=1', 'b=2', '&', '&', '=', '%', 'resource=x', 'audience=y', 'a=', '%61=3', '\xc3', '+']
const posts = fc.record({ type: types, coding: codings, body: pieces(FORM, 8) })
const certificate = async (): Promise<undefined> => undefined

/** The name of the type, and that no parameter names a charset that is not read. */
function mayBe(media: string, { headers }: Request): boolean {
  const [type = '', ...parameters] = (headers.get('Content-Type') ?? '').toLowerCase().split(';')
  const charsets = parameters.map((each) => each.split('=')).filter(([name = '']) => name.trim() === 'charset')
  const isRead = charsets.every(([, charset = '']) =>
    /^(utf-?8|us-ascii|iso-8859-1)$/.test(charset.trim().replace(/^"|"$/g, '')),
  )
  return (
    type.trim() === media && isRead && ['', 'identity'].includes(headers.get('Content-Encoding')?.toLowerCase() ?? '')
  )
}

const form = fuzzed('form_request', posts, async ({ type, coding, body }) => {
  const c = contextOf(
    'https://tokens.example/token',
    { 'Content-Type': type, 'Content-Encoding': coding },
    octetsOf(body),
  )
  if (c === undefined) return
  const read = await readLater(() => readFormRequest(c, certificate), OAuthError)
  if (read === undefined) return
  assert.ok(mayBe('application/x-www-form-urlencoded', c.req.raw))
  // URLSearchParams drops a first question mark, which in a body belongs to the name.
  const expected = new URLSearchParams(`?${new TextDecoder('utf-8', { ignoreBOM: true }).decode(octetsOf(body))}`)
  for (const name of expected.keys()) {
    const values = expected.getAll(name).filter((value) => value !== '')
    assert.ok(values.length <= 1 || ['resource', 'audience'].includes(name))
    assert.deepEqual([read.value.form.get(name), read.value.form.getAll(name)], [values[0] ?? null, values])
  }
})

const objects = pieces(['{', '}', '{"a":1}', '"a":', '1', ',', '"a"', '\xff', '\xef\xbb\xbf', ' ', '[', ']'], 5)

const json = fuzzed(
  'json_request',
  fc.record({ type: types, coding: codings, body: objects }),
  async ({ type, coding, body }) => {
    const c = contextOf(
      'https://tokens.example/register',
      { 'Content-Type': type, 'Content-Encoding': coding },
      octetsOf(body),
    )
    if (c === undefined) return
    const read = await readLater(() => readJson(c), OAuthError)
    if (read === undefined) return
    assert.ok(mayBe('application/json', c.req.raw))
    assert.deepEqual(read.value, JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(octetsOf(body))))
  },
)

const RECORD = '{"schema":1}'
const TAG = await etagOf(RECORD)
const TAGS = [
  '*',
  TAG,
  `W/${TAG}`,
  ',',
  ', ',
  ' ',
  '"x"',
  '"',
  '"*"',
  '"a,*,b"',
  '"a, * ,b"',
  `"a,${TAG},b"`,
  '\t',
  TAG.slice(0, -1),
  TAG.slice(1),
]
const conditions = fc.record({
  match: fc.option(pieces(TAGS, 4)),
  noneMatch: fc.option(fc.constantFrom('*', ' * ', '"*"', TAG, '*, *')),
  isThere: fc.boolean(),
})

/** RFC 9110 §13.1.1: `*`, or a list of entity tags. Undefined for anything else. */
function tagsOf(field: string): readonly string[] | '*' | undefined {
  if (field === '*') return '*'
  const elements = field.match(/[ \t]*((W\/)?"[\x21\x23-\x7e\x80-\xff]*")?[ \t]*(,|$)/g) ?? []
  if (elements.join('') !== field) return undefined
  return elements.map((element) => element.replace(/,$/, '').trim()).filter((tag) => tag !== '')
}

const tags = fuzzed('entity_tags', conditions, async ({ match, noneMatch, isThere }) => {
  const headers = {
    ...(match !== null && { 'If-Match': match }),
    ...(noneMatch !== null && { 'If-None-Match': noneMatch }),
  }
  const c = contextOf('https://tokens.example/register/a', headers)
  if (c === undefined) return
  const read = await readLater(() => requireMatch(c, isThere ? RECORD : undefined), OAuthError)
  const [field, none] = [c.req.header('If-Match'), c.req.header('If-None-Match')]
  const wanted = field === undefined ? '*' : tagsOf(field)
  const isMatched = field === undefined || (isThere && wanted !== undefined && (wanted === '*' || wanted.includes(TAG)))
  assert.equal(read !== undefined, isMatched && !(none === '*' && isThere))
})

const { registry } = memoryStores(() => 0)
for (const id of ['a', 'b', 'é', 'z:z', '%']) await registry.put(`client:${id}`, RECORD)
await registry.put('resource:urn:a', RECORD)
const QUERY = [
  'limit=',
  'cursor=',
  '&',
  '1',
  '2',
  '1000',
  '1001',
  '0',
  '-1',
  '1e2',
  ' ',
  '+',
  '%',
  '%20',
  '%c3%a9',
  'a',
  'client:b',
  'resource:',
  '%00',
  '%ff',
  'limit=2&cursor=client:a',
]

const page = fuzzed('cursor', pieces(QUERY, 6), async (query) => {
  const c = contextOf(`https://tokens.example/register?${query}`, {})
  if (c === undefined) return
  const read = await readLater(() => readPage(c, registry, 'client:'), OAuthError)
  if (read === undefined) return
  const { ids } = read.value
  assert.ok(ids.length <= Number(c.req.query('limit') ?? 100))
  assert.ok(ids.every((id) => ['a', 'b', 'é', 'z:z', '%'].includes(id)))
})

export const REQUEST_READERS: readonly Fuzzed[] = [form, json, tags, page]
