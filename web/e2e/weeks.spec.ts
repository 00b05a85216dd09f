/** A tablet on a wall for weeks: kiosk mode, and what happens to it meanwhile. */
import AxeBuilder from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import { openPageMemory, type PageMemory, type PageMemoryProbe } from './page-memory.ts'
import { expect, test } from './station-test.ts'
import { startStreamListener, type StreamListener } from './stream-listener.ts'

const PIN = '2468'
const LONG_TASKS_MS = 60_000
/** Until the last minute's lines are full, the code is compiled and the engines are measured. */
const WARM_UP_MS = 75_000
/** Before and after that minute: the smallest of them counts. */
const MEMORY_SAMPLES = 5
const SAMPLE_PAUSE_MS = 2000
/** Bytes per frame: a promise that is never let go is more than a hundred. */
const MAX_GROWTH_PER_FRAME = 100
/** What a page takes once, whatever it does meanwhile. */
const ONCE_BYTES = 50_000
const MAX_NODE_GROWTH = 20

test('[KX1] kiosk: locked by touch and by address, wrong PINs wait over a reload, the right one opens, and full screen is offered again', async ({
  station,
}) => {
  const { page } = station
  const gate = page.getByTestId('pin-gate')
  await openRoute(page, '#/settings')
  await page.getByTestId('kiosk-pin').fill(PIN)
  await page.getByTestId('kiosk-pin-again').fill('2469')
  await expect(page.getByTestId('kiosk-turn-on')).toBeDisabled()
  await page.getByTestId('kiosk-pin-again').fill(PIN)
  await page.getByTestId('kiosk-turn-on').click()
  await expect(page.getByTestId('kiosk-on')).toBeVisible()
  await page.getByTestId('kiosk-lock').click()
  await expect(page.getByTestId('nav-wall')).toHaveCount(0)
  await expect(page.getByTestId('nav-machines')).toHaveCount(0)

  await page.getByTestId('kiosk-fullscreen').click()
  await expect(page.getByTestId('kiosk-fullscreen')).toHaveCount(0)
  expect(await page.evaluate(() => document.fullscreenElement !== null)).toBe(true)
  await page.evaluate(() => document.exitFullscreen())
  await expect(page.getByTestId('kiosk-fullscreen')).toBeVisible()

  await page.getByTestId('nav-settings').click()
  await expect(gate).toBeVisible()
  for (const hash of ['#/admin', '#/wall', '#/machines', '#/model', '#/settings']) {
    await openRoute(page, hash)
    await expect(gate).toBeVisible()
    await expect(page.getByTestId('kiosk-off')).toHaveCount(0)
  }
  const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']).analyze()
  expect(violations.map(({ id }) => id)).toEqual([])

  for (let attempt = 0; attempt < 3; attempt += 1) {
    for (const digit of '1111') await page.getByTestId(`pin-key-${digit}`).click()
    await page.getByTestId('pin-enter').click()
    await expect(page.getByTestId('pin-outcome')).not.toBeEmpty()
    await expect(page.getByTestId('pin-field')).toHaveValue('')
  }
  await expect(page.getByTestId('pin-wait')).toBeVisible()
  await page.reload()
  await expect(page.getByTestId('pin-wait')).toBeVisible()
  await page.keyboard.type(PIN)
  await page.keyboard.press('Enter')
  await expect(gate).toBeVisible()

  await page.evaluate(() => {
    const kept = localStorage.getItem('semblante.kiosk-attempts') ?? ''
    localStorage.setItem('semblante.kiosk-attempts', kept.replace(/"at":\d+/, '"at":0'))
  })
  await page.reload()
  await expect(gate).toBeVisible()
  await expect(page.getByTestId('pin-wait')).toHaveCount(0)
  await page.keyboard.type(PIN)
  await page.keyboard.press('Enter')
  await expect(page.getByTestId('kiosk-on')).toBeVisible()
  await expect(page.getByTestId('nav-wall')).toBeVisible()

  await page.reload()
  await expect(gate).toBeVisible()
  for (const digit of PIN) await page.getByTestId(`pin-key-${digit}`).click()
  await page.getByTestId('pin-enter').click()
  await page.getByTestId('kiosk-off').click()
  await page.reload()
  await expect(page.getByTestId('kiosk-turn-on')).toBeVisible()
})

test('[WK1] reads on by itself after its worker is gone and after its camera ended, and more slowly while nobody sees the page', async ({
  station,
  relay,
}) => {
  const { page } = station
  const listener = startStreamListener(relay.origin)
  try {
    await station.startCamera()
    await expectHeard(listener)
    const [worker] = page.workers()
    // Without a word, as when the system takes its memory.
    await worker?.evaluate(() => self.close())
    await expect(page.getByTestId('vision-state')).toHaveAttribute('data-state', 'restarting')
    await expect(page.getByTestId('vision-state')).toHaveCount(0)
    await expectHeard(listener)

    await page.evaluate(() => {
      const stream = document.querySelector('video')?.srcObject
      if (!(stream instanceof MediaStream)) throw new Error('No film is playing.')
      for (const track of stream.getVideoTracks()) {
        track.stop()
        track.dispatchEvent(new Event('ended'))
      }
    })
    await expect(page.getByTestId('camera-notice')).toHaveAttribute('data-problem', 'unplugged')
    await expect(page.getByTestId('camera-notice')).toHaveCount(0)
    await expectHeard(listener)

    await setHidden(page, true)
    await expect(page.getByTestId('pace')).not.toBeEmpty()
    await expect.poll(() => readsPerSecond(page)).toBeLessThan(2)
    await expectHeard(listener)
    await setHidden(page, false)
    await expect(page.getByTestId('pace')).toHaveCount(0)
    await expect.poll(() => readsPerSecond(page)).toBeGreaterThan(2)
  } finally {
    await listener.stop()
  }
})

test('[WK2] a clock that is put back by an hour: readings go on with the new time, and the link with them', async ({ station, relay }) => {
  const { page } = station
  const listener = startStreamListener(relay.origin)
  try {
    await station.startCamera()
    await expectHeard(listener)
    await page.evaluate(() => {
      const now = Date.now.bind(Date)
      Date.now = () => now() - 3_600_000
    })
    await expect.poll(() => listener.heard.some(({ time }) => time < Date.now() - 1_800_000)).toBe(true)
    await expectHeard(listener)
    await expect.poll(() => station.linkState()).toBe('open')
    await expect.poll(() => station.reading()).toMatchObject({ emotion: 'happiness' })
  } finally {
    await listener.stop()
  }
})

test('[WK3] a minute of reading, once all is warm: tasks over 50 ms are reported; what the page holds does not grow', async ({
  station,
}, info) => {
  const { page } = station
  await station.startCamera()
  await expect.poll(() => station.reading()).toMatchObject({ emotion: 'happiness' })
  const memory = await openPageMemory(page)
  await page.waitForTimeout(WARM_UP_MS)
  const before = await leastOf(page, memory)
  const tasks = await page.evaluate(observeLongTasks, LONG_TASKS_MS)
  const after = await leastOf(page, memory)
  // Reported, not asserted: the machine that runs the tests is no tablet.
  info.annotations.push({ type: 'long tasks', description: JSON.stringify(tasks) })
  process.stdout.write(`    tasks over 50 ms in 60 s: ${JSON.stringify(tasks)}\n`)
  process.stdout.write(`    held: ${JSON.stringify(before)}, after it: ${JSON.stringify(after)}\n`)
  expect(after.heapBytes - before.heapBytes).toBeLessThan(ONCE_BYTES + MAX_GROWTH_PER_FRAME * tasks.pictures)
  expect(after.domNodes - before.domNodes).toBeLessThanOrEqual(MAX_NODE_GROWTH)
  expect(after.listeners - before.listeners).toBeLessThanOrEqual(MAX_NODE_GROWTH)
})

/** The smallest of some samples: what is held at any rate. */
async function leastOf(page: Page, memory: PageMemoryProbe): Promise<PageMemory> {
  const samples: PageMemory[] = []
  for (let index = 0; index < MEMORY_SAMPLES; index += 1) {
    await page.evaluate((ms) => new Promise((resolve) => setTimeout(resolve, ms)), SAMPLE_PAUSE_MS)
    samples.push(await memory.sample())
  }
  const least = (of: (sample: PageMemory) => number): number => Math.min(...samples.map(of))
  return {
    heapBytes: least(({ heapBytes }) => heapBytes),
    bufferBytes: least(({ bufferBytes }) => bufferBytes),
    domNodes: least(({ domNodes }) => domNodes),
    listeners: least(({ listeners }) => listeners),
  }
}

async function openRoute(page: Page, hash: string): Promise<void> {
  await page.evaluate((next) => {
    location.hash = next
  }, hash)
}

/** Something read from now on reaches another program. */
async function expectHeard(listener: StreamListener): Promise<void> {
  listener.clear()
  await expect.poll(() => listener.heard.at(-1)?.faces[0]?.emotion).toBe('happiness')
}

async function readsPerSecond(page: Page): Promise<number> {
  return Number(await page.getByTestId('fps').getAttribute('data-read'))
}

/** As the browser tells it; the tests' browser shows its only window all the time. */
async function setHidden(page: Page, isHidden: boolean): Promise<void> {
  await page.evaluate((hidden) => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => (hidden ? 'hidden' : 'visible') })
    document.dispatchEvent(new Event('visibilitychange'))
  }, isHidden)
}

/** Runs in the page. `pictures`: of the camera meanwhile; no more frames than these were read. */
function observeLongTasks(durationMs: number): Promise<{ count: number; longestMs: number; pictures: number }> {
  return new Promise((resolve) => {
    const durations: number[] = []
    const observer = new PerformanceObserver((list) => durations.push(...list.getEntries().map((entry) => entry.duration)))
    observer.observe({ type: 'longtask' })
    const video = document.querySelector('video')
    const before = video?.getVideoPlaybackQuality().totalVideoFrames ?? 0
    setTimeout(() => {
      observer.disconnect()
      const pictures = (video?.getVideoPlaybackQuality().totalVideoFrames ?? 0) - before
      resolve({ count: durations.length, longestMs: Math.round(Math.max(0, ...durations)), pictures })
    }, durationMs)
  })
}
