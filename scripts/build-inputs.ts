/**
 * One short text that changes whenever anything the page is built from changes. By content, not by date: a fresh clone and a
 * checkout of another branch give every file a new date.
 */
import { createHash } from 'node:crypto'
import { readFile, readdir } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'

const FOLDERS = ['web', 'shared']
const FILES = [
  'vite.config.ts',
  'svelte.config.js',
  'package.json',
  'package-lock.json',
  'scripts/build.ts',
  'scripts/convert-face-detector.ts',
  'scripts/offline-assets.ts',
  'scripts/precompress.ts',
]
/** Made by the build itself, or no part of the page. */
const IGNORED = [
  /^web\/(e2e|fixtures)\//,
  /^web\/src\/paraglide\//,
  /^web\/project\.inlang\/(?!settings\.json$)/,
  /^web\/public\/models\/blazeface\./,
  /^shared\/testing\//,
  /\.test\.ts$/,
  /(^|\/)node_modules\//,
  /(^|\/)tsconfig[^/]*\.json$/,
]

/** @param root absolute path of the repository. @returns 64 hexadecimal digits. */
export async function fingerprintInputs(root: string): Promise<string> {
  const paths = [...FILES]
  for (const folder of FOLDERS) paths.push(...(await listFiles(root, folder)))
  const hash = createHash('sha256')
  for (const path of paths.sort()) {
    const bytes = await readFile(join(root, path)).catch(() => undefined)
    if (bytes === undefined) continue
    hash.update(`${path} ${bytes.length}\n`).update(bytes)
  }
  return hash.digest('hex')
}

async function listFiles(root: string, folder: string): Promise<string[]> {
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => !IGNORED.some((pattern) => pattern.test(path)))
}
