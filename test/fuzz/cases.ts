/** Inputs that once made a reader fail, by the name of the reader. Each is tried in every run. */
export const CASES: Readonly<Record<string, readonly unknown[]>> = {
  // In this order on V8: the first teaches it a name, which it then found in the others.
  json: ['{"a":0,"\\\\":0}', '{"a":0,"\\u0061":0}', '{"a":0,"\\u0062":0}', '{"a":0,"\\"":0,"\\\\":0}'],
  client_metadata: [{ claims: [{ sub: 'a' }] }],
  entity_tags: [
    { match: '"a,*,b"', noneMatch: null, isThere: true },
    { match: '"x", *', noneMatch: null, isThere: true },
    { match: '*,', noneMatch: null, isThere: true },
  ],
}
