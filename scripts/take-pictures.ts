/**
 * Takes the gallery of docs/pictures: each page in three sizes, light and dark, Spanish and Persian, before a film of the portrait of
 * web/fixtures, and a contact sheet that shows them all. A page is one row of `PAGES`. `npm run pictures` needs nothing but what the
 * tests need; `npm run pictures wall design` takes only those pages.
 */
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Page } from '@playwright/test'
import sharp from 'sharp'
import { startRelayProcess } from '../web/e2e/relay-process.ts'
import { openStationBrowser } from '../web/e2e/station-browser.ts'
import { openStationPage } from '../web/e2e/station-page.ts'
import { ensureBuilt } from './build.ts'

const FOLDER = 'docs/pictures'
const PORTRAIT = fileURLToPath(new URL('../web/fixtures/astronaut.jpg', import.meta.url))
const STATION = 'recepcion'
const ADMIN_TOKEN = 'the-token-of-these-pictures-only'
const SIZES = {
  landscape: { width: 1280, height: 800 },
  portrait: { width: 800, height: 1280 },
  phone: { width: 390, height: 844 },
} as const
const COLOR_SCHEMES = ['light', 'dark'] as const
const LOCALES = ['es-MX', 'fa-IR'] as const
/** Pictures of the README are in English. */
const ENGLISH = 'en-GB'
const ENGLISH_PAGES = ['live']
const STEADY_LIMIT_MS = 60_000
/** Enough for the timeline and the trends to show something. */
const SETTLE_MS = 8_000
/** Layout and charts follow a new size within a few frames. */
const RESIZE_MS = 600
const WEBP = { quality: 72, effort: 5 } as const

interface PictureRow {
  /** Of its files. */
  readonly name: string
  /** After `#/`. */
  readonly route: string
  /** Shown once this is there (`data-testid`). */
  readonly waitFor: string
  /** What a person does first. */
  readonly prepare?: (page: Page) => Promise<void>
  /** Taken before the camera is on; everything else after. */
  readonly isBeforeStart?: true
  /** Shown by the tab that reads; other pages get a tab of their own, so that the station reads on. */
  readonly isOfStation?: true
}

/** Of everything the app shows: one row per page. */
const PAGES: readonly PictureRow[] = [
  { name: 'welcome', route: '', waitFor: 'camera-start', isBeforeStart: true },
  { name: 'live', route: '', waitFor: 'reading-emotion', isOfStation: true },
  { name: 'wall', route: 'wall', waitFor: 'trend' },
  { name: 'wall-station', route: `wall/${STATION}`, waitFor: 'trend' },
  { name: 'machines', route: 'machines', waitFor: 'machines' },
  { name: 'machine', route: 'machines', waitFor: 'chooser', prepare: openMachine },
  { name: 'history', route: 'history', waitFor: 'history-day', isOfStation: true },
  { name: 'photo', route: 'photo', waitFor: 'photo-page' },
  { name: 'photo-read', route: 'photo', waitFor: 'save-picture', prepare: choosePhoto },
  { name: 'responsible', route: 'responsible', waitFor: 'responsible-page' },
  { name: 'settings', route: 'settings', waitFor: 'open-admin' },
  { name: 'model', route: 'model', waitFor: 'model-card-classes' },
  { name: 'design', route: 'design', waitFor: 'design-icons' },
  { name: 'admin', route: 'admin', waitFor: 'admin-dashboard', prepare: enterAdmin },
]

if (!(await ensureBuilt())) process.exit(1)
await mkdir(FOLDER, { recursive: true })
const wanted = process.argv.slice(2)
const rows = PAGES.filter(({ name }) => wanted.length === 0 || wanted.includes(name))
const relay = await startRelayProcess({ environment: { ADMIN_TOKEN } })
try {
  for (const colorScheme of COLOR_SCHEMES) {
    for (const locale of LOCALES) await takeRows({ colorScheme, locale, rows })
    await takeRows({ colorScheme, locale: ENGLISH, rows: rows.filter(({ name }) => ENGLISH_PAGES.includes(name)) })
  }
} finally {
  await relay.stop()
}
await writeContactSheet()

interface Sitting {
  readonly colorScheme: (typeof COLOR_SCHEMES)[number]
  readonly locale: string
  readonly rows: readonly PictureRow[]
}

/** One browser, one station that reads on while other tabs show the pages. */
async function takeRows(sitting: Sitting): Promise<void> {
  if (sitting.rows.length === 0) return
  const { colorScheme, locale } = sitting
  const browser = await openStationBrowser({ camera: 'portrait', colorScheme, locale, viewport: SIZES.landscape })
  try {
    const live = browser.context.pages()[0] ?? (await browser.context.newPage())
    const station = await openStationPage(live, relay.origin, STATION)
    for (const row of sitting.rows.filter(({ isBeforeStart }) => isBeforeStart === true)) await takeRow(live, row, sitting)
    await station.startCamera()
    await live.locator('[data-testid="reading-emotion"][data-emotion="happiness"]').waitFor({ timeout: STEADY_LIMIT_MS })
    await live.waitForTimeout(SETTLE_MS)
    for (const row of sitting.rows.filter(({ isBeforeStart }) => isBeforeStart !== true)) {
      const page = row.isOfStation === true ? live : await browser.context.newPage()
      await page.goto(`${relay.origin}/#/${row.route}`)
      await takeRow(page, row, sitting)
      if (page !== live) await page.close()
    }
  } finally {
    await browser.close()
  }
}

async function takeRow(page: Page, row: PictureRow, { colorScheme, locale }: Sitting): Promise<void> {
  await row.prepare?.(page)
  await page.getByTestId(row.waitFor).first().waitFor({ timeout: STEADY_LIMIT_MS })
  if (row.route.startsWith('wall')) await page.waitForTimeout(SETTLE_MS)
  for (const [size, viewport] of Object.entries(SIZES)) {
    await page.setViewportSize(viewport)
    await page.waitForTimeout(RESIZE_MS)
    const path = join(FOLDER, `${row.name}-${locale.slice(0, 2)}-${colorScheme}-${size}.webp`)
    await sharp(await page.screenshot())
      .webp(WEBP)
      .toFile(path)
    console.log(path)
  }
}

async function enterAdmin(page: Page): Promise<void> {
  await page.getByTestId('admin-token').fill(ADMIN_TOKEN)
  await page.getByTestId('admin-enter').click()
  await page.locator('[data-testid="admin-dashboard"][data-freshness="fresh"]').waitFor({ timeout: STEADY_LIMIT_MS })
}

/** As somebody who may command it. */
async function openMachine(page: Page): Promise<void> {
  await page.getByTestId('machines-token-open').click()
  await page.getByTestId('machines-token').fill(ADMIN_TOKEN)
  await page.getByTestId('machines-enter').click()
  await page.locator('[data-testid="machines-access"][data-access="token"]').waitFor({ timeout: STEADY_LIMIT_MS })
  await page.getByTestId('machine-card').first().click()
  // Nothing lies under the pointer.
  await page.mouse.move(0, 0)
}

async function choosePhoto(page: Page): Promise<void> {
  await page.getByTestId('photo-input').setInputFiles(PORTRAIT)
}

/** Every picture there is, a row per page, language and colours. */
async function writeContactSheet(): Promise<void> {
  const files = new Set((await readdir(FOLDER)).filter((file) => file.endsWith('.webp')))
  const lines = ['# Pictures', '', 'Written by `npm run pictures`: every page in three sizes, light and dark.', '']
  for (const { name } of PAGES) {
    lines.push(`## ${name}`, '')
    for (const locale of [...LOCALES, ENGLISH]) {
      for (const colorScheme of COLOR_SCHEMES) {
        const taken = Object.keys(SIZES).map((size) => `${name}-${locale.slice(0, 2)}-${colorScheme}-${size}.webp`)
        const shown = taken.filter((file) => files.has(file))
        if (shown.length > 0)
          lines.push(shown.map((file) => `<img src="${file}" height="260" alt="${file.replace('.webp', '')}">`).join(' '), '')
      }
    }
  }
  await writeFile(join(FOLDER, 'README.md'), lines.join('\n'))
}
