/**
 * `npm start`: builds what is not built, then becomes the relay. The relay runs in this very process, so signals and the exit
 * code are its own. Settings are the relay's business (relay/main.ts).
 */
import { requireReady } from './preflight.mjs'

requireReady()
process.chdir(new URL('..', import.meta.url).pathname)

const { register } = await import('tsx/esm/api')
register()

// A folder given by the operator is served as it is; the relay says when there is no page in it. With arguments the relay only answers
// (`--help`), and nothing has to be built for that.
if (!process.env.STATIC_DIR && process.argv.length === 2) {
  const { ensureBuilt } = await import('./build.ts')
  if (!(await ensureBuilt())) process.exit(1)
}
await import('../relay/main.ts')
