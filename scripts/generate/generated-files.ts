/** THE list of generated files. `npm run gen` writes them, `npm run gen -- --check` and a test compare them. */
import { writeAsyncApiDocument } from './asyncapi-document.ts'
import { writeCatalogGuards } from './catalog-guards.ts'
import { writeConfigurationPage } from './configuration-page.ts'
import { writeErrorRetries } from './error-retries.ts'
import type { GeneratedFile } from './generated-file.ts'
import { writeProtocolPages } from './protocol-pages.ts'
import { writeTopicTable } from './topic-table.ts'

export function generateFiles(): readonly GeneratedFile[] {
  return [
    { path: 'shared/generated/guards.ts', text: writeCatalogGuards() },
    { path: 'shared/generated/error-retries.ts', text: writeErrorRetries() },
    { path: 'shared/generated/topic-table.ts', text: writeTopicTable() },
    { path: 'docs/protocol/asyncapi.json', text: writeAsyncApiDocument() },
    ...writeProtocolPages(),
    writeConfigurationPage(),
  ]
}
