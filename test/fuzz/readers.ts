/** Every reader of foreign input that is fuzzed. */

import type { Fuzzed } from './fuzzed.ts'
import { JWT_READERS } from './readers/assertions.ts'
import { CERTIFICATE_READERS } from './readers/certificates.ts'
import { JSON_TEXTS } from './readers/json.ts'
import { KEY_READERS } from './readers/keys.ts'
import { RECORD_READERS } from './readers/records.ts'
import { REQUEST_READERS } from './readers/requests.ts'
import { RULE_READERS } from './readers/rules.ts'
import { TEXTS } from './readers/text.ts'

export const READERS: readonly Fuzzed[] = [
  ...TEXTS,
  ...JSON_TEXTS,
  ...CERTIFICATE_READERS,
  ...KEY_READERS,
  ...JWT_READERS,
  ...RULE_READERS,
  ...REQUEST_READERS,
  ...RECORD_READERS,
]
