/** How many bytes of the built page a browser fetches: at once, for the runtime, and when somebody opens another page. Budgets are the callers'. */
import { readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { gzipSync } from 'node:zlib'

/** The most that a first visit may load of JavaScript and CSS, gzip. */
export const SHELL_BUDGET_BYTES = 150_000

export interface PageSizes {
  /** JavaScript and CSS of the page, its workers and its service worker included; gzip bytes. */
  readonly shell: number
  /** onnxruntime's own JavaScript, which comes with its wasm; gzip bytes. */
  readonly runtime: number
  /** By name, what is fetched when it is opened: JavaScript and CSS, gzip bytes. */
  readonly later: ReadonlyMap<string, number>
}

/** The runtime for graphics processors: few tablets fetch it, and none on a first visit. */
const ONLY_WITH_GPU = /ort[.-]webgpu/

/** @param folder as the build left it. */
export async function measurePageSizes(folder: string): Promise<PageSizes> {
  const files = (await readdir(folder, { recursive: true })).filter(
    (name) => ['.js', '.mjs', '.css'].includes(extname(name)) && !ONLY_WITH_GPU.test(name),
  )
  const later = await listLaterPages(folder, files)
  const laterFiles = [...later.values()].flat()
  const runtime = files.filter((name) => name.includes('ort.'))
  const shell = files.filter((name) => !name.includes('/ort-') && !runtime.includes(name) && !laterFiles.includes(name))
  const laterSizes = await Promise.all([...later].map(async ([name, parts]) => [name, await zippedSize(folder, parts)] as const))
  return { shell: await zippedSize(folder, shell), runtime: await zippedSize(folder, runtime), later: new Map(laterSizes) }
}

/** What the page's entry and its worker import only when asked to, with the style sheet of the same name. */
async function listLaterPages(folder: string, files: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const [, entry = ''] = /src="\/(assets\/[^"]+\.js)"/.exec(await readFile(join(folder, 'index.html'), 'utf8')) ?? []
  const worker = files.find((name) => name.includes('vision-worker')) ?? ''
  const code = `${await readFile(join(folder, entry), 'utf8')}${await readFile(join(folder, worker), 'utf8')}`
  const names = [...code.matchAll(/import\([`'"]\.\/([\w-]+)-[\w-]{8}\.js[`'"]\)/g)].map(([, name = '']) => name)
  const isPart = (file: string, name: string): boolean => new RegExp(`^assets/${name}-[\\w-]{8}\\.(js|css)$`).test(file)
  return new Map(names.map((name) => [name, files.filter((file) => isPart(file, name))]))
}

async function zippedSize(folder: string, files: readonly string[]): Promise<number> {
  const sizes = await Promise.all(files.map(async (name) => gzipSync(await readFile(join(folder, name)), { level: 9 }).length))
  return sizes.reduce((sum, size) => sum + size, 0)
}
