/** The grammar of the requests: what is valid, and what is changed about it. */

import fc from 'fast-check'
import { type Edit, edited, edits } from '../fuzzed.ts'
import { credentialsOf, FLAWS, type Flaw, type FuzzWorld, idOf, METHODS, type Method, OPERATOR } from './world.ts'

/** Endpoints that take a form with a client's credentials. */
const FORMS = ['/token', '/introspect', '/revoke'] as const

/** What an operator sends: method, path, and a body where there is one. */
const OPERATIONS: readonly (readonly [method: string, path: string, body?: string])[] = [
  ['GET', '/register?limit=2'],
  ['GET', '/register?limit=x&cursor=%ff'],
  ['POST', '/register', '{"client_name":"a","scope":"read"}'],
  ['PUT', '/register/target', '{"scope":"read","claims":{"a":[1]}}'],
  ['GET', '/register/target'],
  ['POST', '/register/target/client_secrets', '{"label":"a"}'],
  ['POST', '/register/target/federated_credentials', '{"issuer":"https://issuer.example","claims":{"sub":"target"}}'],
  ['DELETE', '/register/target'],
  ['PUT', '/resources/urn%3Aa', '{"scope":"read","default":false}'],
  ['GET', '/resources'],
  ['GET', '/resources/urn%3Aa'],
  ['DELETE', '/resources/urn%3Aa'],
  ['PUT', '/issuers/https%3A%2F%2Ftarget.example', '{"disabled":true,"jwks":{"keys":[]}}'],
  ['GET', '/issuers'],
  ['DELETE', '/issuers/https%3A%2F%2Ftarget.example'],
]
const PUBLIC = [
  '/',
  '/.well-known/jwks.json',
  '/.well-known/oauth-authorization-server',
  '/.well-known/openid-configuration',
  '/openapi.json',
  '/livez',
  '/readyz?verbose',
  '/health',
  '/authorize?response_type=code',
  '/.well-known/security.txt',
  '/revocations',
  '/nothing',
  '/%00',
  '/%',
  '/token/',
  '//token',
  '/../token',
  '/register/%2e%2e/x',
  `/${'a'.repeat(4000)}`,
]
const VERBS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'get', 'X']

/** Methods that a runtime may answer by closing the connection. */
const UNKNOWN: readonly string[] = ['get', 'X', 'PROPFIND', 'TRACE']

/** A request before it is built: what is valid about it, and each change. */
export interface Plan {
  readonly kind: 'form' | 'operator' | 'public'
  readonly path: string
  readonly verb: string | undefined
  readonly operation: number
  readonly isOperator: boolean
  readonly method: Method
  readonly flaw: Flaw | undefined
  readonly second: Method | undefined
  readonly parameters: readonly (readonly [name: string, value: string])[]
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** `cut`: in chunks of which the last is malformed. */
  readonly framing: 'length' | 'chunked' | 'cut'
  readonly bodyEdits: readonly Edit[]
  /** Changes of the octets on the wire. */
  readonly wireEdits: readonly Edit[]
}

const NAMES = [
  'scope',
  'resource',
  'audience',
  'grant_type',
  'client_id',
  'client_secret',
  'client_assertion',
  'client_assertion_type',
  'token',
  'token_type_hint',
  'subject_token',
  'actor_token',
  'a',
]
const VALUES = [
  'read',
  'api.a',
  'write',
  '*',
  'read read',
  'client_credentials',
  idOf('basic'),
  idOf('post'),
  'urn:a',
  'https://tokens.example',
  '',
  '\0',
  '\u{1f600}',
  'x'.repeat(5000),
  'a.b.c',
  'eyJhbGciOiJub25lIn0.e30.',
]
const HEADERS = [
  ['Content-Type', 'application/json'],
  ['Content-Type', 'multipart/form-data; boundary=a'],
  ['Content-Type', 'application/x-www-form-urlencoded; charset=latin1'],
  ['Content-Encoding', 'gzip'],
  ['Accept', 'text/html'],
  ['Accept', 'application/token-introspection+jwt'],
  ['If-Match', '"a,*,b"'],
  ['If-Match', '*'],
  ['If-None-Match', '*'],
  ['Authorization', 'Basic Og=='],
  ['Authorization', 'Bearer a'],
  ['Authorization', 'Negotiate x'],
  ['DPoP', 'a.b.c'],
  ['DPoP', 'eyJhbGciOiJub25lIn0.e30.eA'],
  ['Client-Cert', ':AAAA:'],
  ['X-Forwarded-For', '127.0.0.1'],
  ['X-Big', 'a'.repeat(7000)],
  ['Cookie', 'a=b'],
  ['Origin', 'https://evil.example'],
  ['Expect', '100-continue'],
  ['Upgrade', 'h2c'],
  ['X-HTTP-Method-Override', 'PUT'],
  ['Range', 'bytes=0-1'],
] as const

const BODY = [
  '&',
  '=',
  '%',
  '+',
  '%00',
  '%C3',
  '\xff',
  '{',
  '}',
  '"',
  ',',
  '[',
  '\\u0000',
  'null',
  '&scope=',
  '&client_id=',
  '&grant_type=',
]
const WIRE = [
  '\r\n',
  '\n',
  '\r',
  '\0',
  ' ',
  ':',
  ',',
  'Transfer-Encoding: chunked\r\n',
  'Content-Length: 0\r\n',
  'Content-Length: 99999999999999999999\r\n',
  'Host: b\r\n',
  'HTTP/1.0',
  'HTTP/2.0',
  '0\r\n\r\n',
  'fffffffffffffffff\r\n',
  '\xff',
  '\t',
  'GET / HTTP/1.1\r\n\r\n',
]

type Pairs = readonly (readonly [name: string, value: string])[]

const often = <T>(usual: fc.Arbitrary<T>, seldom: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 3, arbitrary: usual }, { weight: 1, arbitrary: seldom })
const none: fc.Arbitrary<never[]> = fc.constant([])

export const plans: fc.Arbitrary<Plan> = fc.record({
  kind: fc.oneof(
    { weight: 6, arbitrary: fc.constant('form' as const) },
    { weight: 3, arbitrary: fc.constant('operator' as const) },
    { weight: 1, arbitrary: fc.constant('public' as const) },
  ),
  path: fc.oneof(
    { weight: 3, arbitrary: fc.constant('/token') },
    { weight: 1, arbitrary: fc.constantFrom(...FORMS, ...PUBLIC) },
  ),
  verb: fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.constantFrom(...VERBS) }),
  operation: fc.nat({ max: OPERATIONS.length - 1 }),
  isOperator: fc.boolean(),
  method: fc.constantFrom(...METHODS),
  flaw: often<Flaw | undefined>(fc.constant(undefined), fc.constantFrom(...FLAWS)),
  second: fc.oneof(
    { weight: 9, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom(...METHODS) },
  ),
  parameters: often<Pairs>(
    none,
    fc.array(fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom(...VALUES)), { maxLength: 3 }),
  ),
  headers: often<Pairs>(none, fc.array(fc.constantFrom(...HEADERS), { maxLength: 2 })),
  framing: fc.constantFrom(
    'length' as const,
    'length' as const,
    'length' as const,
    'chunked' as const,
    'chunked' as const,
    'cut' as const,
  ),
  bodyEdits: often<readonly Edit[]>(none, edits(BODY)),
  wireEdits: often<readonly Edit[]>(none, edits(WIRE)),
})

/** A request on the wire. */
export interface Built {
  readonly octets: string
  /** The same without chunks, and before the octets were changed. */
  readonly unframed: string
  /** Whether it is one well-formed request. */
  readonly isWhole: boolean
  /** Whether nothing about it is changed, so that a token must be issued. */
  readonly isUntouched: boolean
  /** What each client that it may prove has to be proven by. */
  readonly proofs: ReadonlyMap<string, readonly string[]>
  readonly path: string
}

function framed(body: string, framing: Plan['framing']): readonly [header: string, body: string] {
  if (framing === 'length') return [`Content-Length: ${body.length}`, body]
  const half = Math.floor(body.length / 2)
  const chunks = [body.slice(0, half), body.slice(half)].filter((chunk) => chunk !== '')
  return [
    'Transfer-Encoding: chunked',
    `${chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('')}0\r\n${framing === 'cut' ? '??' : '\r\n'}`,
  ]
}

/** Builds the request of a plan; its assertions are signed now. */
export async function build(plan: Plan, world: FuzzWorld, isWorker: boolean): Promise<Built> {
  const { kind, method, flaw, second, verb, bodyEdits, wireEdits, parameters } = plan
  const all = kind === 'form' ? [await credentialsOf(method, flaw, world)] : []
  if (kind === 'form' && second !== undefined) all.push(await credentialsOf(second, undefined, world))
  const [usualVerb, path, json] =
    kind === 'operator' ? (OPERATIONS[plan.operation] ?? ['GET', '/']) : [kind === 'form' ? 'POST' : 'GET', plan.path]
  const grant = method === 'exchange' ? 'urn:ietf:params:oauth:grant-type:token-exchange' : 'client_credentials'
  const form = [['grant_type', grant], ...all.flatMap((each) => each.form), ...parameters].map((pair) => [...pair])
  const usualBody = kind === 'form' ? new URLSearchParams(form).toString() : (json ?? '')
  const body = edited(usualBody, bodyEdits).replace(/[^\0-\xff]/g, '?')
  const [length, framedBody] = framed(body, plan.framing)
  const bearer = kind === 'operator' && plan.isOperator ? [['Authorization', `Bearer ${OPERATOR}`] as const] : []
  const type = kind === 'form' ? 'application/x-www-form-urlencoded' : 'application/json'
  const headers = [...all.flatMap((each) => each.headers), ...bearer, ...plan.headers]
  const typed = headers.some(([name]) => name === 'Content-Type') ? [] : [['Content-Type', type] as const]
  const lines = [
    `${verb ?? usualVerb} ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${world.port}`,
    'Connection: close',
    ...[...typed, ...headers].map((pair) => pair.join(': ')),
    length,
  ]
  const hasBody = body !== '' || kind === 'form'
  const whole = `${(hasBody ? lines : lines.slice(0, -1)).join('\r\n')}\r\n\r\n${hasBody ? framedBody : ''}`
  const octets = edited(whole, wireEdits).replace(/[^\0-\xff]/g, '?')
  const isWhole = octets === whole && plan.framing !== 'cut'
  const proofs = new Map(
    all.flatMap(({ proof }, index) =>
      proof === undefined ? [] : [[idOf(index === 0 ? method : (second ?? method)), proof] as const],
    ),
  )
  const isUsual =
    kind === 'form' &&
    path === '/token' &&
    verb === undefined &&
    flaw === undefined &&
    second === undefined &&
    parameters.length + plan.headers.length === 0
  const isUntouched = isUsual && isWhole && body === usualBody && !(isWorker && (method === 'tls' || method === 'self'))
  const unframed = `${lines.join('\r\n')}\r\n\r\n${body}`
  return {
    octets,
    unframed,
    isWhole:
      isWhole &&
      !UNKNOWN.includes(verb ?? '') &&
      !plan.headers.some(([name]) => name === 'Expect' || name === 'Upgrade'),
    isUntouched,
    proofs,
    path,
  }
}
