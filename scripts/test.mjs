/** `npm test`: all tests of all kinds. Here only what must be true before TypeScript can run; the rest is in run-tests.ts. */
import { requireReady } from './preflight.mjs'

requireReady()
process.chdir(new URL('..', import.meta.url).pathname)

const { register } = await import('tsx/esm/api')
register()
const { runTests } = await import('./run-tests.ts')
process.exit(await runTests())
