/** Turns what SQLite and the file system throw into one sentence for the operator: what is wrong with which file, and what to do. */
import { statSync } from 'node:fs'
import { dirname } from 'node:path'

/** The file is a database, but not one this program wrote, or not as it wrote it. The message is a whole sentence. */
export class UnusableFile extends Error {}

/** First the code's longest beginning that is known. Codes: https://www.sqlite.org/rescode.html */
const SENTENCES: readonly (readonly [code: string, sentence: (file: string) => string])[] = [
  ['SQLITE_BUSY', (file) => `The history file ${file} is in use by another process: give each relay a file of its own.`],
  ['SQLITE_NOTADB', (file) => `${file} is no history file (not an SQLite database): choose another path, or move it away.`],
  ['SQLITE_CORRUPT', damaged],
  ['SQLITE_FULL', (file) => `The history file ${file} cannot grow: its disk is full, or it has reached its own bound.`],
  ['SQLITE_READONLY', (file) => `The history file ${file} may not be written: change its rights or choose another path.`],
  ['SQLITE_PERM', (file) => `The history file ${file} may not be written: change its rights or choose another path.`],
  ['SQLITE_IOERR', (file) => `The history file ${file} cannot be read or written: its disk reports an error.`],
]

export function explainStorageProblem(error: unknown, file: string): string {
  if (error instanceof UnusableFile) return error.message
  const text = error instanceof Error ? error.message : String(error)
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
  const known = SENTENCES.find(([start]) => code.startsWith(start))
  if (known !== undefined) return `${known[1](file)}${code === '' ? '' : ` (${code})`}`
  if (text.startsWith('ConnectionFailed') || code === 'SQLITE_CANTOPEN') return explainUnopened(file)
  return `The history file ${file} cannot be used: ${text}`
}

/** There is no room: on the disk, or within the file's own bound. */
export function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'SQLITE_FULL'
}

export function damaged(file: string): string {
  return `The history file ${file} is damaged: move it away (the relay then begins a new one), or bring back a copy.`
}

function explainUnopened(file: string): string {
  if (isFolder(file)) return `The history file ${file} is a folder: name a file in it.`
  const folder = dirname(file)
  if (!isFolder(folder)) return `The history file ${file} cannot be made: the folder ${folder} does not exist.`
  return `The history file ${file} cannot be opened: see that this user may write it and its folder.`
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}
