/** Plans of requests that once made a server fail; what they do not say is as in a valid request. Each is tried in every run. */

import type { Plan } from './requests.ts'

export const CASES: readonly Partial<Plan>[] = [
  // A GET with a body, which workerd passes on: 500.
  { kind: 'operator', operation: 4, framing: 'chunked', bodyEdits: [{ at: 0, removed: 0, inserted: '"' }] },
  // A body whose last chunk is malformed: 500 on Deno and workerd.
  { kind: 'operator', operation: 3, isOperator: true, framing: 'cut' },
]
