/** How many bytes of the built page a browser fetches: at once, for the runtime, and when somebody opens another page. Budgets are the callers'. */
import { readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { gzipSync } from 'node:zlib'

/** The most that a first visit may load of JavaScript and CSS, gzip. */
export const SHELL_BUDGET_BYTES = 150_000

export interface PageSizes {
  /** What a first visit fetches at once of JavaScript and CSS: the page, its workers and its service worker; gzip bytes. */
  readonly shell: number
  /** onnxruntime's own JavaScript, which comes with its wasm; gzip bytes. */
  readonly runtime: number
  /** By name, what is fetched when it is opened and not there yet with the shell: JavaScript and CSS, gzip bytes. */
  readonly later: ReadonlyMap<string, number>
}

const STATIC_IMPORT = /(?:from|import)["'`]\.\/([\w.-]+\.js)["'`]/g
const DYNAMIC_IMPORT = /import\(["'`]\.\/([\w.-]+\.js)["'`]\)/g
/** Of a chunk's file: the style sheet beside it has the same. */
const CHUNK_NAME = /^assets\/(.+)-[\w-]{8}\.\w+$/

/** @param folder as the build left it. */
export async function measurePageSizes(folder: string): Promise<PageSizes> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => ['.js', '.mjs', '.css'].includes(extname(name)))
  const files = new Map(await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as const)))
  const document = await readFile(join(folder, 'index.html'), 'utf8')
  const [, entry = ''] = /src="\/(assets\/[^"]+\.js)"/.exec(document) ?? []
  const workers = names.filter((name) => name.includes('-worker-') || !name.startsWith('assets/'))
  const shell = new Set([entry, ...workers].flatMap((root) => listParts(files, root)))
  const laterChunks = [...shell].flatMap((part) => listImports(files, part, DYNAMIC_IMPORT)).filter((name) => !isRuntime(name))
  const later = laterChunks.map((chunk): [string, number] => {
    const parts = listParts(files, chunk).filter((part) => !shell.has(part))
    return [CHUNK_NAME.exec(chunk)?.[1] ?? chunk, zippedSize(files, parts)]
  })
  const runtime = names.filter((name) => name.includes('ort.') && !name.includes('webgpu'))
  return { shell: zippedSize(files, [...shell]), runtime: zippedSize(files, runtime), later: new Map(later) }
}

/** onnxruntime's code, which its own bound is for. */
function isRuntime(name: string): boolean {
  return name.startsWith('assets/ort')
}

/** A chunk, all that it imports at once, and their style sheets. */
function listParts(files: ReadonlyMap<string, string>, root: string): readonly string[] {
  const parts = new Set<string>([root])
  for (const part of parts) listImports(files, part, STATIC_IMPORT).forEach((name) => parts.add(name))
  const chunks = new Set([...parts].map((part) => CHUNK_NAME.exec(part)?.[1]))
  const styles = [...files.keys()].filter((name) => extname(name) === '.css' && chunks.has(CHUNK_NAME.exec(name)?.[1]))
  return [...parts, ...styles]
}

function listImports(files: ReadonlyMap<string, string>, from: string, pattern: RegExp): readonly string[] {
  return [...(files.get(from) ?? '').matchAll(pattern)].map(([, name = '']) => `assets/${name}`)
}

function zippedSize(files: ReadonlyMap<string, string>, names: readonly string[]): number {
  return names.reduce((sum, name) => sum + gzipSync(files.get(name) ?? '', { level: 9 }).length, 0)
}
