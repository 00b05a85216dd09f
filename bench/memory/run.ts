/**
 * `npm run bench:memory`: the page as built, reading a film in a real Chromium for 20 minutes beside a relay, and how much memory all of
 * them hold meanwhile. Writes `results.json` and `RESULTS.md` beside this file and the chart of docs/pictures. `-- --minutes 2` runs
 * shorter and writes nothing. Linux only: it reads `/proc`.
 */
import { writeFile } from 'node:fs/promises'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { ensureBuilt } from '../../scripts/build.ts'
import { openPageMemory } from '../../web/e2e/page-memory.ts'
import { startRelayProcess } from '../../web/e2e/relay-process.ts'
import { openStationBrowser } from '../../web/e2e/station-browser.ts'
import { openStationPage } from '../../web/e2e/station-page.ts'
import { toChart } from './chart.ts'
import { openBrowserProcesses, readResidentBytes } from './processes.ts'
import { type MemorySample, type MemoryResults, toMarkdown } from './summary.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const FULL_MINUTES = 20
const SAMPLES = 120
const FIRST_READING_MS = 60_000

const minutesAt = process.argv.indexOf('--minutes')
const minutes = minutesAt < 0 ? FULL_MINUTES : Number(process.argv[minutesAt + 1])
if (!(minutes > 0)) throw new Error('--minutes wants a number above 0, as in --minutes 2')

// A build made elsewhere can be measured while this one changes.
const staticFolder = process.env['STATIC_DIR']
if (staticFolder === undefined && !(await ensureBuilt())) process.exit(1)
const results = await measure()
console.log(toMarkdown(results))
if (minutes >= FULL_MINUTES) {
  await writeFile(join(root, 'bench/memory/results.json'), `${JSON.stringify(results, null, 2)}\n`)
  await writeFile(join(root, 'bench/memory/RESULTS.md'), toMarkdown(results))
  await writeFile(join(root, 'docs/pictures/memory.svg'), toChart(results.samples))
}

async function measure(): Promise<MemoryResults> {
  const loadBefore = loadavg()[0] ?? 0
  const relay = await startRelayProcess(staticFolder === undefined ? {} : { environment: { STATIC_DIR: staticFolder } })
  const browser = await openStationBrowser({ camera: 'portrait' })
  try {
    const page = browser.context.pages()[0] ?? (await browser.context.newPage())
    const station = await openStationPage(page, relay.origin, 'memory-bench')
    await station.startCamera()
    await page.locator('[data-testid="reading-emotion"][data-emotion="happiness"]').waitFor({ timeout: FIRST_READING_MS })
    const memory = await openPageMemory(page)
    const readProcesses = await openBrowserProcesses(browser.context)
    const meter = page.getByTestId('fps')
    const startedAt = performance.now()
    const samples: MemorySample[] = []
    for (let index = 0; index <= SAMPLES; index += 1) {
      await sleep(Math.max(0, startedAt + (index * minutes * 60_000) / SAMPLES - performance.now()))
      const processes = await readProcesses()
      samples.push({
        seconds: Math.round((performance.now() - startedAt) / 100) / 10,
        ...(await memory.sample()),
        pageProcessBytes: processes.page,
        browserBytes: processes.all,
        relayBytes: await readResidentBytes(relay.pid),
        shownPerSecond: Number(await meter.getAttribute('data-shown')),
        readPerSecond: Number(await meter.getAttribute('data-read')),
      })
      console.log(JSON.stringify(samples.at(-1)))
    }
    const version = browser.context.browser()?.version() ?? 'unknown'
    return {
      machine: { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, browser: `Chromium ${version}` },
      load: [loadBefore, loadavg()[0] ?? 0],
      samples,
    }
  } finally {
    await browser.close()
    await relay.stop()
  }
}
