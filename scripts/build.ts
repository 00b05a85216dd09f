/**
 * Builds the page into `dist/`: the face detector converted, the page bundled, everything compressed once. Which files the page is
 * made of is decided by vite.config.ts. A finished build is recognised by the fingerprint of its inputs, kept beside it, so that
 * nothing is built twice and nothing stale is served.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { fingerprintInputs } from './build-inputs.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const OUTPUT_FOLDER = 'dist'
/** Vite empties the folder first, so a build that was interrupted has no stamp. */
const STAMP_FILE = join(OUTPUT_FOLDER, '.inputs')

/**
 * Builds in a process of its own when the page is missing or older than its sources; instant otherwise.
 * @returns false when the build failed; its output has said why.
 */
export async function ensureBuilt(): Promise<boolean> {
  if (await isFresh()) return true
  const child = spawn(process.execPath, ['--import', 'tsx', fileURLToPath(import.meta.url)], { cwd: root, stdio: 'inherit' })
  return await new Promise((resolve) => {
    child.once('error', () => resolve(false))
    child.once('exit', (code) => resolve(code === 0))
  })
}

async function isFresh(): Promise<boolean> {
  if (!existsSync(join(root, OUTPUT_FOLDER, 'index.html'))) return false
  const stamp = await readFile(join(root, STAMP_FILE), 'utf8').catch(() => '')
  return stamp === (await fingerprintInputs(root))
}

/** Builds everything, telling each step and how long it took. Throws when a step fails. */
async function build(): Promise<void> {
  // Taken first: a file that changes during the build makes the result stale, not wrongly fresh.
  const fingerprint = await fingerprintInputs(root)
  say('building the page; this is done once, later starts find it ready')
  await step('face detector', async () => {
    const { convertFaceDetector } = await import('./convert-face-detector.ts')
    await convertFaceDetector(join(root, 'web/public/models'))
  })
  await step('page', async () => {
    const vite = await import('vite')
    await vite.build({
      configFile: join(root, 'vite.config.ts'),
      logLevel: 'warn',
      // How long each plugin took is no news to somebody who wants to start a relay.
      build: { rolldownOptions: { checks: { bundlerTimings: false } } },
    })
  })
  await step('compression (half a minute the first time)', async () => {
    const { precompress } = await import('./precompress.ts')
    const { originalBytes, brotliBytes } = await precompress(OUTPUT_FOLDER, { onProgress: (line) => say(`    ${line}`) })
    say(`    ${toMegabytes(originalBytes)} MB became ${toMegabytes(brotliBytes)} MB`)
  })
  await writeFile(join(root, STAMP_FILE), fingerprint)
}

async function step(name: string, work: () => Promise<void>): Promise<void> {
  const startedAt = performance.now()
  say(`  ${name} …`)
  await work()
  say(`  ${name} done in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
}

function toMegabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1)
}

function say(line: string): void {
  console.log(line)
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.chdir(root)
  try {
    await build()
  } catch (error) {
    console.error(error)
    console.error('The page could not be built; the lines above say why.')
    process.exitCode = 1
  }
}
