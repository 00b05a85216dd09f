import AxeBuilder from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import { expect, test } from './station-test.ts'

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

for (const colorScheme of ['light', 'dark'] as const) {
  test(`[AX1] every page meets WCAG 2.2 AA, ${colorScheme}`, async ({ station, relay }) => {
    await station.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    expect(await findBarriers(station.page), 'before the camera is on').toEqual([])
    await station.startCamera()
    await expect.poll(async () => (await station.reading()).emotion).toBe('happiness')
    expect(await findBarriers(station.page), 'live').toEqual([])
    for (const route of ['watch', 'photo', 'settings', 'responsible']) {
      await station.page.goto(`${relay.origin}/#/${route}`)
      expect(await findBarriers(station.page), route).toEqual([])
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
