/** What the TypeScript blocks of the pages leave to their reader, and where they import from. */

/** Values that a page speaks of and does not define. */
export const GLOBALS = `
declare const token: string
declare const issuer: string
declare const audience: string
declare const clientId: string
declare const clientSecret: string
declare const secret: string
declare const privateKey: CryptoKey
declare const signingKeys: string
declare const operatorToken: string
`

export const TSCONFIG: object = {
  extends: '../tsconfig.json',
  compilerOptions: {
    noUnusedLocals: false,
    isolatedDeclarations: false,
    // The package is not built here; its own test checks that `exports` leads to these files.
    paths: {
      edgemint: ['../src/library.ts'],
      'edgemint/resource-server': ['../src/resource_server.ts'],
      'edgemint/*': ['../src/*.ts'],
    },
  },
  include: ['.', '../src/lib/cloudflare_workers.d.ts'],
}

/** What to add to the blocks that verify a token, by a name that they contain, to make them print its subject. */
export const VERIFIERS: readonly [name: string, tail: string][] = [
  ['const { payload }', 'console.log(payload.sub)'],
  [
    'accessToken()',
    "console.log((await import('jose')).decodeJwt(await accessToken()).sub, await accessToken() === await accessToken() ? '' : 'twice')",
  ],
  [
    'jwks_uri:',
    "console.log(await (await app.request('/', { headers: { authorization: 'Bearer ' + token } })).text())",
  ],
  [
    'fetchDenials',
    `const claims = (await jwtVerify(token, keys)).payload
const denials = await fetchDenials()
const { createHash } = await import('node:crypto')
const hash = createHash('sha256').update('test-client').digest('base64url')
const outcomes = [
  await isDenied(claims, denials),
  await isDenied(claims, { ...denials, revoked: [String(claims.jti)] }),
  await isDenied(claims, { ...denials, all: Number(claims.iat) }),
  await isDenied(claims, { ...denials, client_hashes: { [hash]: Number(claims.iat) } }),
  await isDenied(claims, { ...denials, kids: ['k'] }, 'k'),
]
console.log(outcomes.join() === 'false,true,true,true,true' ? 'test-client' : outcomes.join())`,
  ],
]
