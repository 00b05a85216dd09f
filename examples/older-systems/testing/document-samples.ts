/**
 * The sample programs printed in the older systems' documents, word for word but for the port, where the documents are at hand: SEMBLANTE_DOCUMENTS
 * names their folder.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const folder = process.env['SEMBLANTE_DOCUMENTS'] ?? ''

/** For `describe.skipIf`. */
export function isMissing(document: string): boolean {
  return folder === '' || !existsSync(join(folder, document))
}

/** Code blocks of a language, in the order of the document. */
export function readSamples(document: string, language: string): readonly string[] {
  const text = readFileSync(join(folder, document), 'utf8')
  return [...text.matchAll(/^```(\w+)\n(.*?)^```/gms)].filter(([, name]) => name === language).map(([, , code]) => code ?? '')
}

/** A file for as long as the block that opened it. */
export function writeSample(code: string, extension: string): { readonly path: string } & Disposable {
  const directory = mkdtempSync(join(tmpdir(), 'semblante-sample-'))
  const path = join(directory, `sample.${extension}`)
  writeFileSync(path, code)
  return {
    path,
    [Symbol.dispose]: () => {
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
