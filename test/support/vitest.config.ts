import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { defineConfig, type ViteUserConfig } from 'vitest/config'
import { filesFor } from './suites.ts'

const config: ViteUserConfig = defineConfig({
  plugins: [cloudflareTest({ wrangler: { configPath: './wrangler.toml' } })],
  test: { include: filesFor('workerd'), testTimeout: 60_000 },
})

export default config
