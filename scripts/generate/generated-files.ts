/** THE list of generated files. `npm run gen` writes them, `npm run gen -- --check` and a test compare them. */
import { writeCatalogGuards } from './catalog-guards.ts'
import { writeTopicTable } from './topic-table.ts'
import type { GeneratedFile } from './generated-file.ts'

export function generateFiles(): readonly GeneratedFile[] {
  return [
    { path: 'shared/generated/guards.ts', text: writeCatalogGuards() },
    { path: 'shared/generated/topic-table.ts', text: writeTopicTable() },
  ]
}
