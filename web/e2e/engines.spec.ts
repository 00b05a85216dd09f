/** On what faces are read: chosen by measuring and by hand, with the same readings from each. */
import type { Page } from '@playwright/test'
import { openStationPage, type StationPage } from './station-page.ts'
import { expect, STATION, test } from './station-test.ts'

type Kind = 'single' | 'threads' | 'webgpu'

/** The graphics processor is imitated here, on a machine that does other things too. */
const SLOW_ENGINE_MS = 180_000
/** Of a probability: engines add in another order, and the camera shows another frame. */
const MOST_APART = 0.01

test('[EG1] by hand: two threads really run, then one; the choice outlives a reload, the measured times too', async ({ tablet, relay }) => {
  const { station, page, requested } = await open(tablet.pages()[0] ?? (await tablet.newPage()), relay.origin)
  await readHappiness(station)
  const alone = await calmConfidence(station)

  await choose(page, 'threads')
  await expectEngine(page, 'threads', 2)
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true)
  await readHappiness(station)
  expect(Math.abs((await calmConfidence(station)) - alone)).toBeLessThanOrEqual(MOST_APART)

  await openSettings(page)
  await expect(page.getByTestId('engine-webgpu').getByRole('radio')).toBeDisabled()
  await expect(page.getByTestId('engine-webgpu')).toContainText('no graphics processor')
  await page.getByTestId('engine-measure').click()
  await expect(page.getByTestId('engine-choice')).toHaveAttribute('data-activity', 'measuring')
  await expect(page.getByTestId('engine-choice')).toHaveAttribute('data-activity', 'idle', { timeout: 60_000 })
  for (const kind of ['single', 'threads']) await expect(page.getByTestId(`engine-${kind}-time`)).toHaveText(/^\d+\.\d ms$/)

  await reopen(station)
  await readHappiness(station)
  await expectEngine(page, 'threads', 2)
  await openSettings(page)
  await expect(page.getByTestId('engine-single-time')).toHaveText(/^\d+\.\d ms$/)
  await choose(page, 'single')
  await expectEngine(page, 'single', 1)
  await readHappiness(station)
  expect(requested.filter((url) => url.includes('webgpu'))).toEqual([])
})

test('[EG2] a tablet with cores to spare measures once after its first readings, never stops reading for it, and keeps the result', async ({
  tablet,
  relay,
}, info) => {
  const page = tablet.pages()[0] ?? (await tablet.newPage())
  await page.addInitScript(() => Object.defineProperty(Navigator.prototype, 'hardwareConcurrency', { get: () => 4 }))
  const { station } = await open(page, relay.origin)
  const openedAt = Date.now()
  await readHappiness(station)
  const firstReadingMs = Date.now() - openedAt
  await expect.poll(() => findings(page), { timeout: 60_000 }).toMatchObject({ isComplete: true })
  const { measured } = await findings(page)
  expect(measured.map(({ kind, threads }) => [kind, threads])).toEqual([
    ['single', 1],
    ['threads', 3],
  ])
  for (const { ms } of measured) expect(ms).toBeGreaterThan(0)
  await readHappiness(station)
  const told = JSON.stringify({ firstReadingMs, measured })
  info.annotations.push({ type: 'engines', description: told })
  process.stdout.write(`    engines: ${told}\n`)

  const before = await findings(page)
  await reopen(station)
  await readHappiness(station)
  expect(await findings(page)).toEqual(before)
})

test.describe('a graphics processor', () => {
  test.use({ flags: ['--enable-unsafe-webgpu'] })

  test('[EG3] an imitated one is explained and not used; made to, it reads like wasm, without a server too, and its loss leads back to wasm', async ({
    tablet,
    relay,
  }) => {
    // Compiling for an imitated one takes half a minute, twice.
    test.slow()
    const { station, page, requested } = await open(tablet.pages()[0] ?? (await tablet.newPage()), relay.origin)
    await readHappiness(station)
    const alone = await calmConfidence(station)
    await openSettings(page)
    await expect(page.getByTestId('engine-webgpu').getByRole('radio')).toBeDisabled()
    await expect(page.getByTestId('engine-webgpu')).toContainText('imitated')
    expect(requested.filter((url) => url.includes('webgpu'))).toEqual([])

    await page.evaluate(() => localStorage.setItem('semblante.software-gpu', 'yes'))
    await page.waitForFunction(() => navigator.serviceWorker.controller?.state === 'activated')
    await reopen(station)
    await readHappiness(station)
    await choose(page, 'webgpu')
    await expectEngine(page, 'webgpu', 1)
    await readHappiness(station)
    expect(Math.abs((await calmConfidence(station)) - alone)).toBeLessThanOrEqual(MOST_APART)

    // Used once, it works without the server.
    await expect.poll(() => cachedGpuFiles(page)).toBe(3)
    await relay.stop()
    await reopen(station)
    await readHappiness(station)
    await expectEngine(page, 'webgpu', 1)

    const devtools = await tablet.browser()?.newBrowserCDPSession()
    await devtools?.send('Browser.crashGpuProcess')
    await expectEngine(page, 'single', 1)
    await expect(page.getByTestId('engine-choice')).toHaveAttribute('data-why', 'fell-back')
    await readHappiness(station)
  })
})

interface Opened {
  readonly station: StationPage
  readonly page: Page
  readonly requested: readonly string[]
}

async function open(page: Page, origin: string): Promise<Opened> {
  const requested: string[] = []
  page.context().on('request', (request) => requested.push(request.url()))
  return { station: await openStationPage(page, origin, STATION), page, requested }
}

/** On the page with the picture: on the others it cannot be started. */
async function reopen({ page }: StationPage): Promise<void> {
  await page.evaluate(() => (location.hash = '#/'))
  await page.reload()
}

async function readHappiness(station: StationPage): Promise<void> {
  await station.page.evaluate(() => (location.hash = '#/'))
  await station.startCamera()
  await expect.poll(() => station.reading(), { timeout: SLOW_ENGINE_MS }).toMatchObject({ emotion: 'happiness' })
}

/** The median of what is shown while the picture stands still: smoothing has come to rest by then. */
async function calmConfidence(station: StationPage): Promise<number> {
  const seen: number[] = []
  await expect
    .poll(
      async () => {
        seen.push((await station.faces())[0]?.confidence ?? 0)
        const last = seen.slice(-5)
        return last.length === 5 && Math.max(...last) - Math.min(...last) < MOST_APART
      },
      { timeout: SLOW_ENGINE_MS },
    )
    .toBe(true)
  return [...seen.slice(-5)].sort((a, b) => a - b)[2] ?? 0
}

async function openSettings(page: Page): Promise<void> {
  await page.evaluate(() => (location.hash = '#/settings'))
  await expect(page.getByTestId('engine-webgpu')).toBeVisible()
}

async function choose(page: Page, kind: Kind): Promise<void> {
  await openSettings(page)
  await page.getByTestId(`engine-${kind}`).getByRole('radio').check()
  await expect(page.getByTestId('engine-choice')).toHaveAttribute('data-activity', 'idle', { timeout: SLOW_ENGINE_MS })
}

/** What the worker says it runs on. */
async function expectEngine(page: Page, kind: Kind, threads: number): Promise<void> {
  await openSettings(page)
  const name = page.getByTestId('engine-name')
  await expect(name).toHaveAttribute('data-kind', kind, { timeout: SLOW_ENGINE_MS })
  await expect(name).toHaveAttribute('data-threads', String(threads))
}

interface Findings {
  readonly isComplete?: boolean
  readonly measured: readonly { readonly kind: string; readonly threads: number; readonly ms?: number }[]
}

async function findings(page: Page): Promise<Findings> {
  const found: Findings = await page.evaluate(() => JSON.parse(localStorage.getItem('semblante.engine-findings') ?? '{"measured":[]}'))
  return found
}

async function cachedGpuFiles(page: Page): Promise<number> {
  return await page.evaluate(async () => (await (await caches.open('semblante-webgpu')).keys()).length)
}
