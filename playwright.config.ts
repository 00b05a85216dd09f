/**
 * Tests in a real Chromium against a real relay (web/e2e/). Every test starts its own relay and its own browser with its own film
 * before the camera, see station-test.ts; `npm test` builds the page first and says where the browser is (CHROMIUM_PATH).
 */
import { defineConfig } from '@playwright/test'

export default defineConfig({
  testDir: 'web/e2e',
  outputDir: 'test-results/browser',
  // Two fill a small machine: what one test waits for, the other computes.
  workers: 2,
  fullyParallel: true,
  forbidOnly: process.env['CI'] !== undefined,
  // Ten times what a test takes on an idle machine: what hangs still ends.
  timeout: 180_000,
  expect: { timeout: 30_000 },
  reporter: 'list',
})
