/** The history: kept on the tablet, told to others once and in order, and shown. */
import AxeBuilder from '@axe-core/playwright'
import type { Download, Page } from '@playwright/test'
import { readFile } from 'node:fs/promises'
import { createRelayClient } from '#shared/client/relay-client'
import { acquireToken } from '#shared/client/acquire-session'
import type { HistoryBatch } from '#shared/protocol/history'
import { isPayloadOf } from '#shared/protocol/topic-catalog'
import { WebSocket } from 'ws'
import { startRelayProcess, type RelayProcess } from './relay-process.ts'
import { expect, STATION, test } from './station-test.ts'

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
/** What is kept is written and told every ten seconds. */
const TOLD_LIMIT_MS = 30_000
/** Long enough for two blocks to be cut while nobody hears them. */
const OUTAGE_BLOCKS_MS = 30_000
/** The shortest range is a minute of the clock: what is kept must lie in two of them, or there is nothing to come nearer to. */
const ZOOMABLE_MS = 80_000

test('[HE1] an outage loses and doubles nothing; a reload keeps the day; the page shows, zooms by key, drag and pinch, marks, exports and erases it', async ({
  station,
  relay,
}) => {
  test.setTimeout(240_000)
  const { page } = station
  const heard: HistoryBatch[] = []
  const numbers = (): number[] => heard.flatMap(({ entries }) => entries.map(({ seq }) => seq))
  const listener = createRelayClient({
    url: `${relay.origin.replace('http', 'ws')}/relay`,
    webSocket: WebSocket,
    acquireToken: () => acquireToken(relay.origin),
  })
  // From the past, or what is told in the moment before this one is back would be missed; it dedupes nothing.
  listener.subscribe(`history/${STATION}`, ({ data }) => isPayloadOf('history', data) && heard.push(data), undefined, true)
  listener.start()
  let second: RelayProcess | undefined
  try {
    await station.startCamera()
    await expect.poll(async () => (await station.reading()).emotion).toBe('happiness')
    const startedAt = Date.now()
    await expect.poll(() => numbers().length, { timeout: TOLD_LIMIT_MS }).toBeGreaterThan(5)
    await page.getByTestId('mark-moment').click()

    await relay.kill()
    await expect.poll(() => station.linkState()).not.toBe('open')
    const before = numbers().length
    await page.goto(`${relay.origin}/#/history`)
    const status = page.getByTestId('history-status')
    await expect
      .poll(async () => Number(await status.getAttribute('data-unsent')), { timeout: OUTAGE_BLOCKS_MS + 15_000 })
      .toBeGreaterThan(20)
    expect(numbers().length).toBe(before)
    second = await startRelayProcess({ port: relay.port })
    await expect.poll(async () => Number(await status.getAttribute('data-unsent')), { timeout: TOLD_LIMIT_MS }).toBe(0)
    await expect.poll(() => numbers().length, { timeout: TOLD_LIMIT_MS }).toBeGreaterThan(before + 20)
    expect(numbers()).toEqual(numbers().map((_, index) => index + 1))
    expect(heard.at(-1)?.entries.at(-1)).toMatchObject({ emotion: 'happiness', isCertain: true })

    await page.waitForTimeout(Math.max(0, startedAt + ZOOMABLE_MS - Date.now()))
    await page.reload()
    await expect(page.getByTestId('history-session').first()).toBeVisible()
    await expect(page.getByTestId('history-moments').locator('[data-kind=marked]')).toHaveCount(1)
    await expectZoom(page)
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      expect(await findBarriers(page), colorScheme).toEqual([])
    }
    await expectFiles(page, numbers())

    await page.getByTestId('history-erase').click()
    await page.getByTestId('confirm-yes').click()
    await expect(page.getByTestId('empty-notice')).toBeVisible()
  } finally {
    listener.stop()
    await second?.stop()
  }
})

test('[HE2] without room on the disk reading goes on, and the page says what that means', async ({ station, relay }) => {
  const session = await station.page.context().newCDPSession(station.page)
  await session.send('Storage.overrideQuotaForOrigin', { origin: relay.origin, quotaSize: 1 })
  await station.startCamera()
  await expect.poll(async () => (await station.reading()).emotion).toBe('happiness')
  await station.page.goto(`${relay.origin}/#/history`)
  await expect(station.page.getByTestId('history-status')).toHaveAttribute('data-storage', /^(full|memory)$/, { timeout: TOLD_LIMIT_MS })
  await expect(station.page.getByTestId('history-session').first()).toBeVisible()
})

async function expectZoom(page: Page): Promise<void> {
  const chart = page.getByTestId('history-chart')
  await expect.poll(async () => Number(await chart.getAttribute('data-points'))).toBeGreaterThan(20)
  const isZoomed = (wanted: boolean) => expect(chart).toHaveAttribute('data-zoomed', String(wanted))
  await isZoomed(false)
  await chart.focus()
  await page.keyboard.press('+')
  await isZoomed(true)
  await page.keyboard.press('Home')
  await isZoomed(false)

  await chart.scrollIntoViewIfNeeded()
  const box = await chart.boundingBox()
  if (box === null) throw new Error('the chart is not there')
  const at = (place: number): { readonly x: number; readonly y: number } => ({ x: box.x + box.width * place, y: box.y + box.height / 2 })
  await page.mouse.move(at(0.2).x, at(0.2).y)
  await page.mouse.down()
  await page.mouse.move(at(0.6).x, at(0.6).y, { steps: 8 })
  await page.mouse.up()
  await isZoomed(true)
  await page.getByTestId('zoom-all').click()
  await isZoomed(false)

  await pinch(page, [at(0.45), at(0.55)], [at(0.2), at(0.8)])
  await isZoomed(true)
  await page.getByTestId('zoom-all').click()
  await isZoomed(false)
}

type Fingers = readonly [Point, Point]
interface Point {
  readonly x: number
  readonly y: number
}

/** Two fingers, from one place to another. */
async function pinch(page: Page, from: Fingers, to: Fingers): Promise<void> {
  const session = await page.context().newCDPSession(page)
  const steps = 8
  const between = (one: Point, other: Point, step: number): Point => ({
    x: one.x + ((other.x - one.x) * step) / steps,
    y: one.y + ((other.y - one.y) * step) / steps,
  })
  const touch = (type: 'touchStart' | 'touchMove', step: number) =>
    session.send('Input.dispatchTouchEvent', {
      type,
      touchPoints: [
        { id: 0, ...between(from[0], to[0], step) },
        { id: 1, ...between(from[1], to[1], step) },
      ],
    })
  await touch('touchStart', 0)
  for (let step = 1; step <= steps; step += 1) await touch('touchMove', step)
  await session.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] })
  await session.detach()
}

async function expectFiles(page: Page, told: readonly number[]): Promise<void> {
  const save = async (button: string): Promise<Download> => {
    const download = page.waitForEvent('download')
    await page.getByTestId(button).click()
    return await download
  }
  const csv = await save('export-csv')
  expect(csv.suggestedFilename()).toMatch(/^semblante-test-station-\d{8}T\d{6}-\d{8}T\d{6}\.csv$/)
  const [head = '', ...lines] = (await readFile(await csv.path(), 'utf8')).trimEnd().split('\r\n')
  expect(head.split(',').slice(0, 8)).toEqual(['seq', 'session', 'station', 'time_utc', 'time_local', 'faces', 'emotion', 'is_certain'])
  expect(lines.map((line) => Number(line.split(',')[0])).slice(0, told.length)).toEqual(told)
  expect(lines.filter((line) => line.includes(',marked,'))).toHaveLength(1)
  const json: unknown = JSON.parse(await readFile(await (await save('export-json')).path(), 'utf8'))
  expect(json).toMatchObject({ format: 'semblante-history/1', moments: [{ kind: 'marked' }] })
}

async function findBarriers(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).withTags(RULES).analyze()
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join('; ')}`)
}
