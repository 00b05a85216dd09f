/**
 * `npm run bench:vision`: our pipeline against `@vladmandic/human` on the same film in one page of a real Chromium. Writes
 * `results.json` and `RESULTS.md` beside this file. `--quick` runs a tenth of it and writes nothing.
 */
import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliCompress } from 'node:zlib'
import { type Browser, chromium, type Page } from '@playwright/test'
import { obtainChromium, NO_CHROMIUM } from '../../scripts/chromium.ts'
import { convertFaceDetector } from '../../scripts/convert-face-detector.ts'
import type { ColdResult, DuelOptions, DuelResult, Side, Who } from './duel.ts'
import { type PageServer, servePage } from './serve-page.ts'
import { type BenchResults, type SideSummary, toMarkdown } from './summary.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const isQuick = process.argv.includes('--quick')
const BLOCKS = isQuick ? 2 : 6
const FRAMES_PER_BLOCK = isQuick ? 15 : 30
const COLD_STARTS = isQuick ? 1 : 3
const PAGE_TIMEOUT_MS = 170_000

const flags = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run']
if (process.getuid?.() === 0) flags.push('--no-sandbox')

await convertFaceDetector(join(root, 'web/public/models'))
const executablePath = await obtainChromium(console.error)
if (executablePath === undefined) throw new Error(NO_CHROMIUM)
await using server = await servePage(root)
const browser = await chromium.launch({ executablePath, args: flags })
try {
  const results = await measure(browser, server)
  console.log(toMarkdown(results))
  if (!isQuick) {
    await writeFile(join(root, 'bench/vision/results.json'), `${JSON.stringify(results, null, 2)}\n`)
    await writeFile(join(root, 'bench/vision/RESULTS.md'), toMarkdown(results))
  }
} finally {
  await browser.close()
}

async function measure(browser: Browser, server: PageServer): Promise<BenchResults> {
  const cold = { ours: await coldStarts(browser, server, 'ours'), theirs: await coldStarts(browser, server, 'theirs') }
  const shipped = await duel(browser, server, { mode: 'shipped', motion: 'swaying' })
  const still = await duel(browser, server, { mode: 'shipped', motion: 'still' })
  const scratch = await duel(browser, server, { mode: 'scratch', motion: 'swaying' })
  return {
    machine: { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, browser: `Chromium ${browser.version()}` },
    frames: BLOCKS * FRAMES_PER_BLOCK,
    shipped: { ours: summarise(shipped.ours), theirs: summarise(shipped.theirs) },
    still: { ours: summarise(still.ours), theirs: summarise(still.theirs) },
    scratch: { ours: summarise(scratch.ours), theirs: summarise(scratch.theirs) },
    firstReadingMs: { ours: cold.ours.firstReadingMs, theirs: cold.theirs.firstReadingMs },
    firstVisitBytes: { ours: cold.ours.bytes, theirs: cold.theirs.bytes },
  }
}

async function duel(browser: Browser, server: PageServer, film: Pick<DuelOptions, 'mode' | 'motion'>): Promise<DuelResult> {
  const options: DuelOptions = { ...film, blocks: BLOCKS, framesPerBlock: FRAMES_PER_BLOCK }
  // As text, because the page's types and this program's do not mix.
  return withPage(browser, server, (page) => page.evaluate<DuelResult>(`bench.duel(${JSON.stringify(options)})`))
}

interface ColdSummary {
  readonly firstReadingMs: number
  /** Brotli, without the photo. */
  readonly bytes: number
}

async function coldStarts(browser: Browser, server: PageServer, who: Who): Promise<ColdSummary> {
  const times: number[] = []
  let files: readonly string[] = []
  for (let start = 0; start < COLD_STARTS; start += 1) {
    server.takeRequested()
    const result = await withPage(browser, server, (page) => page.evaluate<ColdResult>(`bench.coldStart('${who}')`))
    times.push(result.firstReadingMs)
    files = server.takeRequested()
  }
  const sizes = await Promise.all(files.filter((file) => !file.endsWith('.jpg')).map(brotliSize))
  return { firstReadingMs: percentile(times, 0.5), bytes: sizes.reduce((sum, size) => sum + size, 0) }
}

/** In a context of its own: empty caches. */
async function withPage<Value>(browser: Browser, server: PageServer, work: (page: Page) => Promise<Value>): Promise<Value> {
  const context = await browser.newContext()
  try {
    const page = await context.newPage()
    page.setDefaultTimeout(PAGE_TIMEOUT_MS)
    page.on('pageerror', (error) => {
      console.error('page:', error.message)
    })
    await page.goto(server.origin)
    await page.waitForFunction(`'bench' in window`)
    return await work(page)
  } finally {
    await context.close()
  }
}

/** Quality 11 takes half a minute for the largest file, so sizes are remembered by content. */
async function brotliSize(file: string): Promise<number> {
  const bytes = await readFile(file)
  const folder = join(root, '.cache', 'brotli-sizes')
  const key = join(folder, createHash('sha256').update(bytes).digest('hex'))
  const known = await readFile(key, 'utf8').catch(() => null)
  if (known !== null) return Number(known)
  const { length } = await promisify(brotliCompress)(bytes)
  await mkdir(folder, { recursive: true })
  await writeFile(key, String(length))
  return length
}

function summarise({ times, outcomes }: Side): SideSummary {
  const emotions = new Map<string, number>()
  for (const { emotion } of outcomes) emotions.set(emotion || 'none', (emotions.get(emotion || 'none') ?? 0) + 1)
  const [emotion] = [...emotions].sort((a, b) => b[1] - a[1])[0] ?? ['none']
  const stageNames = [...new Set(outcomes.flatMap(({ stages }) => Object.keys(stages)))]
  return {
    medianMs: percentile(times, 0.5),
    p95Ms: percentile(times, 0.95),
    framesWithFace: outcomes.filter(({ faces }) => faces > 0).length / outcomes.length,
    emotion,
    confidence: percentile(
      outcomes.map(({ confidence }) => confidence),
      0.5,
    ),
    stages: Object.fromEntries(
      stageNames.map((name) => [
        name,
        percentile(
          outcomes.map(({ stages }) => stages[name] ?? 0),
          0.5,
        ),
      ]),
    ),
  }
}

function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}
