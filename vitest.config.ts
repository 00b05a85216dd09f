/** How the tests beside the code are run. Tests in a real browser are Playwright's (playwright.config.ts). */
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'

/** Generous, because a busy machine must not turn a good test red; a test that hangs still ends. */
const TIMEOUT_MS = 30_000
const timeouts = { testTimeout: TIMEOUT_MS, hookTimeout: TIMEOUT_MS }

/** As many as a small machine has cores: many of these tests start a process or wait for a socket; vitest's default is one less. */
const MAX_WORKERS = 2

export default defineConfig({
  test: {
    maxWorkers: MAX_WORKERS,
    projects: [
      { test: { name: 'shared', include: ['shared/**/*.test.ts'], ...timeouts } },
      { test: { name: 'relay', include: ['relay/**/*.test.ts'], ...timeouts } },
      { test: { name: 'tools', include: ['{scripts,examples,bench,deploy,model}/**/*.test.ts'], ...timeouts } },
      {
        plugins: [svelte({ configFile: 'svelte.config.js' })],
        resolve: { conditions: ['browser'] },
        test: { name: 'web', include: ['web/src/**/*.test.ts'], ...timeouts },
      },
    ],
  },
})
