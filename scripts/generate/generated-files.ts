/** THE list of generated files. `npm run gen` writes them, `npm run gen -- --check` and a test compare them. */
import { writeCatalogGuards } from './catalog-guards.ts'
import type { GeneratedFile } from './generated-file.ts'

export function generateFiles(): readonly GeneratedFile[] {
  return [{ path: 'shared/generated/guards.ts', text: writeCatalogGuards() }]
}
