/** One generated file: where it goes and what it must hold. Writing and comparing only; what is in it is decided elsewhere. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

export interface GeneratedFile {
  /** Relative to the repository's root, with `/`. */
  readonly path: string
  readonly text: string
}

/** @returns the paths whose file is missing or differs. */
export async function findStaleFiles(root: string, files: readonly GeneratedFile[]): Promise<readonly string[]> {
  const stale: string[] = []
  for (const file of files) {
    const present = await readTextIfThere(join(root, file.path))
    if (present !== file.text) stale.push(file.path)
  }
  return stale
}

/** Writes what is stale and leaves the rest untouched. @returns the paths written. */
export async function writeStaleFiles(root: string, files: readonly GeneratedFile[]): Promise<readonly string[]> {
  const stale = await findStaleFiles(root, files)
  for (const file of files.filter(({ path }) => stale.includes(path))) {
    await mkdir(dirname(join(root, file.path)), { recursive: true })
    await writeFile(join(root, file.path), file.text)
  }
  return stale
}

async function readTextIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch {
    return undefined
  }
}
