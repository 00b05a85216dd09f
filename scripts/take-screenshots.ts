/**
 * Takes the pictures that the manifest shows before somebody installs the app (vite.config.ts names them): the live page and a photo that was
 * read, on a tablet and on a phone, in Spanish as the manifest is. `npm run screenshots`; the JPEGs are committed. The pictures of the
 * documentation are `take-pictures.ts`'s.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { startRelayProcess } from '../web/e2e/relay-process.ts'
import { openStationBrowser } from '../web/e2e/station-browser.ts'
import { openStationPage } from '../web/e2e/station-page.ts'
import { ensureBuilt } from './build.ts'

const FOLDER = 'web/public/screenshots'
const PORTRAIT = fileURLToPath(new URL('../web/fixtures/astronaut.jpg', import.meta.url))
const FORMS = {
  wide: { viewport: { width: 1280, height: 800 }, deviceScaleFactor: 1 },
  narrow: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 },
} as const
/** Enough for the timeline to show something. */
const SETTLE_MS = 12_000
const STEADY_LIMIT_MS = 60_000
const QUALITY = 72

if (!(await ensureBuilt())) process.exit(1)
await mkdir(FOLDER, { recursive: true })
const relay = await startRelayProcess()
try {
  for (const [form, options] of Object.entries(FORMS)) await takeBoth(form, options)
} finally {
  await relay.stop()
}

async function takeBoth(form: string, options: (typeof FORMS)[keyof typeof FORMS]): Promise<void> {
  const browser = await openStationBrowser({ camera: 'portrait', locale: 'es-MX', ...options })
  try {
    const page = browser.context.pages()[0] ?? (await browser.context.newPage())
    const station = await openStationPage(page, relay.origin, 'recepcion')
    await station.startCamera()
    await page.locator('[data-testid="reading-emotion"][data-emotion="happiness"]').waitFor({ timeout: STEADY_LIMIT_MS })
    await page.waitForTimeout(SETTLE_MS)
    await save(await page.screenshot(), `live-${form}`)
    await page.goto(`${relay.origin}/#/photo`)
    await page.getByTestId('photo-input').setInputFiles(PORTRAIT)
    await page.getByTestId('save-picture').waitFor({ timeout: STEADY_LIMIT_MS })
    await page.waitForTimeout(1_000)
    // On a phone the result is below what chooses files.
    if (form === 'narrow') await page.keyboard.press('End')
    await page.waitForTimeout(500)
    await save(await page.screenshot(), `photo-${form}`)
  } finally {
    await browser.close()
  }
}

async function save(picture: Buffer, name: string): Promise<void> {
  const path = join(FOLDER, `${name}.jpg`)
  const { size } = await sharp(picture).jpeg({ quality: QUALITY, mozjpeg: true }).toFile(path)
  console.log(`${path} ${size} bytes`)
}
