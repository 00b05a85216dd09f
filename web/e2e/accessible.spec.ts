import AxeBuilder from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import { expect, test } from './station-test.ts'

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
/** Every page a person at the station can open, and what shows that it is there (`data-testid`). */
const PAGES = [
  { route: 'wall', waitFor: 'wall-tile' },
  { route: 'wall/test-station', waitFor: 'wall-detail' },
  { route: 'machines', waitFor: 'machines' },
  { route: 'settings', waitFor: 'open-admin' },
  { route: 'design', waitFor: 'design-icons' },
  { route: 'model', waitFor: 'model-card' },
  { route: 'history', waitFor: 'history-day' },
  { route: 'photo', waitFor: 'photo-page' },
  { route: 'responsible', waitFor: 'responsible-page' },
] as const
const TABLET = { width: 1280, height: 800 }
const PHONE = { width: 390, height: 844 }
const LOOKS = [
  { name: 'light', colorScheme: 'light', contrast: 'no-preference' },
  { name: 'dark', colorScheme: 'dark', contrast: 'no-preference' },
  { name: 'high contrast, light', colorScheme: 'light', contrast: 'more' },
  { name: 'high contrast, dark', colorScheme: 'dark', contrast: 'more' },
] as const

for (const { name, ...media } of LOOKS) {
  test(`[AX1] every page meets WCAG 2.2 AA, ${name}`, async ({ station, relay }) => {
    const { page } = station
    await page.emulateMedia({ ...media, reducedMotion: 'reduce' })
    // As a tablet that looks so opens it: while a page that is open changes its look, axe meets colours of both.
    await page.reload()
    await page.getByTestId('camera-start').waitFor()
    const wanted = media.contrast === 'more' ? 'high' : undefined
    await expect.poll(() => page.evaluate(() => document.documentElement.dataset['contrast'])).toBe(wanted)
    expect(await findBarriers(page), 'before the camera is on').toEqual([])
    await station.startCamera()
    await expect.poll(async () => (await station.reading()).emotion).toBe('happiness')
    expect(await findBarriers(page), 'live').toEqual([])
    for (const { route, waitFor } of PAGES) {
      await page.goto(`${relay.origin}/#/${route}`)
      await page.getByTestId(waitFor).first().waitFor()
      expect(await findBarriers(page), route).toEqual([])
      // Nothing may be wider than a phone, the long names of cameras neither.
      await page.setViewportSize(PHONE)
      expect(await page.evaluate(() => document.documentElement.scrollWidth), `${route} on a phone`).toBeLessThanOrEqual(PHONE.width)
      await page.setViewportSize(TABLET)
    }
  })
}

test('[AX2] the camera can be started with the keyboard alone', async ({ station }) => {
  const { page } = station
  /** @param key pressed once the element has the focus. */
  async function reach(mark: string, key: string): Promise<void> {
    const wanted = page.getByTestId(mark)
    await wanted.waitFor()
    const maxTabs = 40
    for (let tabs = 0; tabs < maxTabs && !(await wanted.evaluate((element) => element === document.activeElement)); tabs++) {
      await page.keyboard.press('Tab')
    }
    await page.keyboard.press(key)
  }
  // Nothing is chosen yet: the button leads to what is missing.
  await reach('camera-start', 'Enter')
  await expect(page.getByTestId('consent-local')).toBeFocused()
  await page.keyboard.press('Space')
  await page.keyboard.press('ArrowDown')
  await expect(page.getByTestId('consent-totals')).toBeChecked()
  await reach('purpose-safety', 'Space')
  await reach('camera-start', 'Enter')
  await expect.poll(async () => (await station.reading()).emotion).toBe('happiness')
})

async function findBarriers(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).withTags(RULES).analyze()
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join('; ')}`)
}
