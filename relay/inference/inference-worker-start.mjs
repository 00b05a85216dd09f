/**
 * Where a thread that reads pictures begins. A thread does not inherit the loader of TypeScript from the one that starts it, so it brings its
 * own: the same under tsx, `npm start` and vitest.
 */
import { register } from 'tsx/esm/api'

register()
await import('./inference-worker.ts')
