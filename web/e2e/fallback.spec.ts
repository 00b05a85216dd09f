/** The weak tablet's way out, in a browser and against a relay that really reads pictures. What counts as slow is turned by the test. */
import type { BrowserContext, Page } from '@playwright/test'
import { parseBinaryFrame } from '#shared/protocol/binary-frame'
import { KNOWN_FACE } from './film.ts'
import { startRelayProcess } from './relay-process.ts'
import { openStationPage, overlap, waitForPictures, type StationPage } from './station-page.ts'
import { expect, STATION, test } from './station-test.ts'

/** The relay loads its networks before it says that it reads: seconds on an idle machine, many on a busy one. */
const QUESTION_MS = 90_000
const LARGEST_PICTURE_BYTES = 64 * 1024

interface SentPicture {
  readonly data: unknown
  readonly method: string
  readonly jpeg: Uint8Array
}

interface SlowTablet {
  readonly station: StationPage
  readonly page: Page
  /** Every binary frame the page has sent, in order. */
  readonly sent: readonly SentPicture[]
}

interface Budgets {
  /** Milliseconds; above 0. */
  readonly frame: number
  readonly find: number
}

/** Every frame is too slow for it. */
const NONE: Budgets = { frame: 0.001, find: 0.001 }

async function openSlowTablet(tablet: BrowserContext, origin: string, budgets: Budgets): Promise<SlowTablet> {
  const page = tablet.pages()[0] ?? (await tablet.newPage())
  const sent: SentPicture[] = []
  page.on('websocket', (socket) => {
    socket.on('framesent', ({ payload }) => {
      if (typeof payload !== 'string') sent.push(readPicture(payload))
    })
  })
  await page.addInitScript((wanted) => {
    if (location.protocol === 'about:' || localStorage.getItem('semblante.frame-budget-ms') !== null) return
    localStorage.setItem('semblante.frame-budget-ms', String(wanted.frame))
    localStorage.setItem('semblante.find-budget-ms', String(wanted.find))
  }, budgets)
  const station = await openStationPage(page, origin, STATION)
  return { station, page, sent }
}

function readPicture(payload: Uint8Array): SentPicture {
  const frame = parseBinaryFrame(new Uint8Array(payload))
  if (!frame.ok) throw new Error(frame.failure.message)
  const request: { method: string; data: unknown } = JSON.parse(frame.value.text)
  return { ...request, jpeg: frame.value.attachment }
}

async function expectHappiness({ station }: SlowTablet): Promise<void> {
  await expect.poll(() => station.reading()).toMatchObject({ emotion: 'happiness' })
}

test('[FB50] no picture leaves before the yes; after it small ones do, under a sign, and one touch ends it for good', async ({
  tablet,
  relay,
}) => {
  const slow = await openSlowTablet(tablet, relay.origin, NONE)
  const { page, sent, station } = slow
  await station.startCamera()
  await expect(page.getByTestId('fallback-question')).toBeVisible({ timeout: QUESTION_MS })
  await expectHappiness(slow)
  await waitForPictures(page, 60)
  await expect(page.getByTestId('fallback-sign')).toBeHidden()
  expect(sent).toHaveLength(0)

  await page.getByTestId('fallback-allow').click({ timeout: QUESTION_MS })
  await expect(page.getByTestId('fallback-sign')).toBeVisible()
  await expect.poll(() => sent.length).toBeGreaterThan(5)
  for (const { jpeg, method, data } of sent) {
    expect({ method, data, start: [jpeg[0], jpeg[1]] }).toEqual({ method: 'predict', data: { faces: 'all' }, start: [0xff, 0xd8] })
    expect(jpeg.byteLength).toBeLessThanOrEqual(LARGEST_PICTURE_BYTES)
  }
  await expectHappiness(slow)
  const [face] = await station.faces()
  expect(overlap(face?.box ?? { x: 0, y: 0, width: 0, height: 0 }, KNOWN_FACE)).toBeGreaterThanOrEqual(0.5)

  await page.getByTestId('fallback-stop').click()
  await expect(page.getByTestId('fallback-sign')).toBeHidden()
  await waitForPictures(page, 10)
  const sentUntilStop = sent.length
  await waitForPictures(page, 60)
  expect(sent).toHaveLength(sentUntilStop)

  await page.reload()
  await station.startCamera()
  await expectHappiness(slow)
  await waitForPictures(page, 60)
  await expect(page.getByTestId('fallback-question')).toBeHidden()
  expect(sent).toHaveLength(sentUntilStop)
})

test('[FB51] where finding faces is fast enough only their small pictures leave, and the tablet reads again once it is fast', async ({
  tablet,
  relay,
}) => {
  const slow = await openSlowTablet(tablet, relay.origin, { frame: 0.001, find: 100_000 })
  const { page, sent, station } = slow
  await station.startCamera()
  await page.getByTestId('fallback-allow').click({ timeout: QUESTION_MS })
  await expect.poll(() => sent.length).toBeGreaterThan(5)
  expect(sent[0]).toMatchObject({ method: 'predict', data: { faces: 'largest', crop: true } })
  process.stdout.write(
    `    bytes of a face: ${sent
      .map(({ jpeg }) => jpeg.byteLength)
      .join(' ')
      .slice(0, 60)}\n`,
  )
  await expectHappiness(slow)
  const [face] = await station.faces()
  expect(overlap(face?.box ?? { x: 0, y: 0, width: 0, height: 0 }, KNOWN_FACE)).toBeGreaterThanOrEqual(0.5)

  await page.evaluate(() => localStorage.setItem('semblante.frame-budget-ms', '100000'))
  await expect(page.getByTestId('fallback-sign')).toBeHidden({ timeout: 60_000 })
  await waitForPictures(page, 10)
  const sentUntilFast = sent.length
  await waitForPictures(page, 60)
  expect(sent).toHaveLength(sentUntilFast)
  await expectHappiness(slow)
})

test('[FB52] without the relay the tablet reads on by itself; with it back pictures go again, without another question', async ({
  tablet,
  relay,
}) => {
  const slow = await openSlowTablet(tablet, relay.origin, NONE)
  const { page, sent, station } = slow
  await station.startCamera()
  await page.getByTestId('fallback-allow').click({ timeout: QUESTION_MS })
  await expect.poll(() => sent.length).toBeGreaterThan(2)
  await relay.kill()
  await expect(page.getByTestId('fallback-sign')).toBeHidden()
  await expectHappiness(slow)
  const second = await startRelayProcess({ port: relay.port })
  try {
    await expect(page.getByTestId('fallback-sign')).toBeVisible({ timeout: QUESTION_MS })
    await expect(page.getByTestId('fallback-question')).toBeHidden()
  } finally {
    await second.stop()
  }
})

test('[FB53] nobody is asked where the relay reads no pictures', async ({ tablet }) => {
  const relay = await startRelayProcess({ environment: { INFERENCE_THREADS: '0' } })
  try {
    const slow = await openSlowTablet(tablet, relay.origin, NONE)
    await slow.station.startCamera()
    await expectHappiness(slow)
    await waitForPictures(slow.page, 60)
    await expect(slow.page.getByTestId('fallback-question')).toBeHidden()
    expect(slow.sent).toHaveLength(0)
  } finally {
    await relay.stop()
  }
})

const LOOKS = [
  { language: 'es', theme: 'light' },
  { language: 'fa', theme: 'dark' },
] as const
for (const { language, theme } of LOOKS) {
  test(`[FB54] the question and the sign, ${language} ${theme}`, async ({ tablet, relay }, info) => {
    await tablet.addInitScript(
      (wanted) => {
        if (location.protocol === 'about:') return
        localStorage.setItem('semblante.language', wanted.language)
        localStorage.setItem('semblante.theme', wanted.theme)
      },
      { language, theme },
    )
    const { page, station } = await openSlowTablet(tablet, relay.origin, NONE)
    await station.startCamera()
    await expect(page.getByTestId('fallback-question')).toBeVisible({ timeout: QUESTION_MS })
    await page.screenshot({ path: info.outputPath(`question-${language}-${theme}.png`) })
    await page.getByTestId('fallback-allow').click({ timeout: QUESTION_MS })
    const sign = page.getByTestId('fallback-sign')
    await expect(sign).toBeVisible()
    await page.screenshot({ path: info.outputPath(`sign-${language}-${theme}.png`) })
    // On every page, not only where the picture is.
    await page.goto(`${relay.origin}/#/settings`)
    await expect(sign).toBeVisible()
    await page.screenshot({ path: info.outputPath(`settings-${language}-${theme}.png`) })
    await page.getByTestId('fallback-choice').getByRole('radio').nth(2).check({ force: true })
    await expect(sign).toBeHidden()
  })
}
