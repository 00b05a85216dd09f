/**
 * `npm run gen` writes what is derived from the catalog: guards, the AsyncAPI document, the protocol pages.
 * `npm run gen -- --check` writes nothing and fails, naming the files that are stale.
 */
import { fileURLToPath } from 'node:url'
import { findStaleFiles, writeStaleFiles } from './generate/generated-file.ts'
import { generateFiles } from './generate/generated-files.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const files = generateFiles()

if (process.argv.includes('--check')) {
  const stale = await findStaleFiles(root, files)
  if (stale.length > 0) {
    console.error(`Stale generated files: ${stale.join(', ')}. Run \`npm run gen\` and commit the result.`)
    process.exitCode = 1
  } else console.log(`${String(files.length)} generated files are up to date.`)
} else {
  const written = await writeStaleFiles(root, files)
  console.log(written.length === 0 ? 'Nothing to do: all generated files are up to date.' : `Wrote ${written.join(', ')}.`)
}
