/** Vitest in workerd, with the Worker of wrangler.toml. */

import { readFileSync } from 'node:fs'
import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { exportPKCS8, generateKeyPair } from 'jose'
import { defineConfig, type ViteUserConfig } from 'vitest/config'
import { unstable_readConfig } from 'wrangler'
import { filesFor } from './suites.ts'

/** What is used of wrangler.toml. */
interface WorkerConfig {
  readonly main?: string
  readonly compatibility_date: string
  readonly compatibility_flags: string[]
  readonly kv_namespaces: readonly { readonly binding: string }[]
  readonly durable_objects: { readonly bindings: readonly { readonly name: string; readonly class_name: string }[] }
}

/** Read here, because the plugin adds `.dev.vars` to the bindings: what a developer sets there must not change the tests. */
const worker: WorkerConfig = unstable_readConfig({ config: './wrangler.toml' })
const { privateKey } = await generateKeyPair('ES256', { extractable: true })

const config: ViteUserConfig = defineConfig({
  plugins: [
    cloudflareTest({
      main: worker.main,
      miniflare: {
        compatibilityDate: worker.compatibility_date,
        compatibilityFlags: worker.compatibility_flags,
        kvNamespaces: worker.kv_namespaces.map(({ binding }) => binding),
        durableObjects: Object.fromEntries(
          worker.durable_objects.bindings.map(({ name, class_name }) => [
            name,
            { className: class_name, useSQLite: true },
          ]),
        ),
        bindings: { ISSUER: 'https://tokens.example', SIGNING_KEYS: await exportPKCS8(privateKey) },
      },
    }),
    {
      // Their source maps name files that the packages lack, and Vite warns of each.
      name: 'without-source-maps',
      load: (id) =>
        /\/node_modules\/(oauth4webapi|openid-client)\//.test(id)
          ? readFileSync(id.replace(/\?.*/, ''), 'utf8').replace(/^\/\/# sourceMappingURL=.*$/m, '')
          : undefined,
    },
  ],
  test: {
    include: filesFor('workerd'),
    testTimeout: 60_000,
    // A new worker for each file takes longer than most files do.
    isolate: false,
    setupFiles: ['test/support/fresh_modules.ts'],
  },
})

export default config
