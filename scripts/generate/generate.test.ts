/** What is generated is up to date, and the AsyncAPI document is one. */
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Parser } from '@asyncapi/parser'
import { expect, it } from 'vitest'
import { ERRORS } from '#shared/protocol/errors'
import { MESSAGES } from '#shared/protocol/messages'
import { TOPICS } from '#shared/protocol/topics'
import { findStaleFiles, writeStaleFiles } from './generated-file.ts'
import { generateFiles } from './generated-files.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const readText = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

/** Error or warning, by Spectral's numbers. */
const isSerious = (severity: number): boolean => severity <= 1

it('[GN1] no generated file is stale', async () => {
  expect(await findStaleFiles(ROOT, generateFiles())).toEqual([])
})

it('[GN2] names what is missing or differs, writes it once, and then finds nothing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'semblante-gen-'))
  const files = generateFiles()
  const paths = files.map(({ path }) => path)
  expect(await findStaleFiles(folder, files)).toEqual(paths)
  expect(await writeStaleFiles(folder, files)).toEqual(paths)
  expect(await writeStaleFiles(folder, files)).toEqual([])
  const [first, ...rest] = files
  const changed = first === undefined ? [] : [{ ...first, text: `${first.text}// edited by hand` }, ...rest]
  expect(await findStaleFiles(folder, changed)).toEqual([paths[0]])
  await rm(folder, { recursive: true })
})

it('[GN3] the AsyncAPI document is valid and holds every message of the catalog', async () => {
  const { document, diagnostics } = await new Parser().parse(readText('docs/protocol/asyncapi.json'))
  expect(diagnostics.filter(({ severity }) => isSerious(severity)).map(({ message, path }) => `${path.join('/')}: ${message}`)).toEqual([])
  const messages = document
    ?.allMessages()
    .all()
    .map((message) => message.name())
  expect(new Set(messages)).toEqual(new Set(Object.keys(MESSAGES)))
  const received = document
    ?.operations()
    .filterByReceive()
    .flatMap((operation) =>
      operation
        .messages()
        .all()
        .map((message) => message.name()),
    )
  expect(received).toEqual(Object.entries(MESSAGES).flatMap(([type, { direction }]) => (direction === 'to-relay' ? [type] : [])))
})

it('[GN4] the guards need no eval, no interpreter and no import at run time', () => {
  const text = readText('shared/generated/guards.ts')
  expect(text).not.toMatch(/\beval\(|new Function|typebox\//)
  expect(text.match(/^import (?!type )/gm)).toBeNull()
})

it('[GN5] the pages name every message, topic and error', () => {
  for (const type of Object.keys(MESSAGES)) expect(readText('docs/protocol/messages.md')).toContain(`\n## ${type}\n`)
  for (const { filter } of Object.values(TOPICS)) expect(readText('docs/protocol/topics.md')).toContain(`\n## ${filter}\n`)
  for (const code of Object.keys(ERRORS)) expect(readText('docs/protocol/errors.md')).toContain(`| \`${code}\` |`)
})
