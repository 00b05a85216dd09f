/**
 * Takes the pictures of docs/pictures: the pages in light and dark, on a tablet lying and standing, before a film of the portrait of
 * web/fixtures. `npm run pictures` needs nothing but what the tests need.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { startRelayProcess } from '../web/e2e/relay-process.ts'
import { openStationBrowser } from '../web/e2e/station-browser.ts'
import { openStationPage, type StationPage } from '../web/e2e/station-page.ts'
import { ensureBuilt } from './build.ts'

const FOLDER = 'docs/pictures'
const STATION = 'recepcion'
const VIEWPORTS = { landscape: { width: 1280, height: 800 }, portrait: { width: 800, height: 1280 } } as const
const COLOR_SCHEMES = ['light', 'dark'] as const
/** Enough for the timeline to show something. */
const SETTLE_MS = 8_000
const STEADY_LIMIT_MS = 30_000

interface Shot {
  readonly name: string
  /** After `#/`. */
  readonly route: string
  readonly locale: string
}

const SHOTS: readonly Shot[] = [
  { name: 'welcome', route: '', locale: 'en-GB' },
  { name: 'live', route: '', locale: 'en-GB' },
  { name: 'watch', route: 'watch', locale: 'en-GB' },
  { name: 'settings', route: 'settings', locale: 'en-GB' },
]
/** Other languages, one of them written from right to left, in one size each. */
const LANGUAGES = ['es-MX', 'pt-BR', 'fa-IR'] as const

if (!(await ensureBuilt())) process.exit(1)
await mkdir(FOLDER, { recursive: true })
const relay = await startRelayProcess()
try {
  for (const colorScheme of COLOR_SCHEMES) await takeAll(colorScheme)
  for (const locale of LANGUAGES) await takeOne(locale)
} finally {
  await relay.stop()
}

async function takeAll(colorScheme: (typeof COLOR_SCHEMES)[number]): Promise<void> {
  const browser = await openStationBrowser({ camera: 'portrait', colorScheme, viewport: VIEWPORTS.landscape })
  try {
    const page = browser.context.pages()[0] ?? (await browser.context.newPage())
    const station = await openStationPage(page, relay.origin, STATION)
    await page.getByTestId('camera-start').waitFor()
    for (const shot of SHOTS) {
      if (shot.name === 'live') await startReading(station)
      // A second tab looks on, so that the station goes on reading.
      const shown = shot.route === '' ? page : await openRoute(await browser.context.newPage(), shot.route)
      for (const [orientation, viewport] of Object.entries(VIEWPORTS)) {
        await shown.setViewportSize(viewport)
        await save(shown, `${shot.name}-${colorScheme}-${orientation}`)
      }
      if (shown !== page) await shown.close()
    }
  } finally {
    await browser.close()
  }
}

async function takeOne(locale: string): Promise<void> {
  const browser = await openStationBrowser({ camera: 'portrait', locale, viewport: VIEWPORTS.landscape })
  try {
    const page = browser.context.pages()[0] ?? (await browser.context.newPage())
    await startReading(await openStationPage(page, relay.origin, STATION))
    await save(page, `live-${locale.slice(0, 2)}`)
  } finally {
    await browser.close()
  }
}

async function startReading(station: StationPage): Promise<void> {
  await station.startCamera()
  await station.page.locator('[data-testid="reading-emotion"][data-emotion="happiness"]').waitFor({ timeout: STEADY_LIMIT_MS })
  await station.page.waitForTimeout(SETTLE_MS)
}

async function openRoute(page: Page, route: string): Promise<Page> {
  await page.goto(`${relay.origin}/#/${route}`)
  if (route === 'watch') await page.getByTestId('watch-tile').first().waitFor()
  return page
}

async function save(page: Page, name: string): Promise<void> {
  // Layout and timeline follow the new size within a few frames.
  await page.waitForTimeout(1_000)
  const path = join(FOLDER, `${name}.png`)
  await page.screenshot({ path })
  console.log(path)
}
