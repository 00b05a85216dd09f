import AxeBuilder from '@axe-core/playwright'
import { readFile } from 'node:fs/promises'
import { expect, test } from './station-test.ts'

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
const LANGUAGES = ['es', 'en', 'pt', 'fa'] as const

test('[MC4] the card of the network is one link from settings and shows what the manifest says', async ({ station, relay }) => {
  const manifest: { lineage: string; figures: Record<string, number> } = JSON.parse(
    await readFile('web/public/models/emotion.json', 'utf8'),
  )
  const { page } = station
  await page.goto(`${relay.origin}/#/settings`)
  await page.getByTestId('open-model-card').click()
  const card = page.getByTestId('model-card')
  await expect(card.getByTestId('model-card-lineage')).toHaveText(manifest.lineage)
  await expect(card).toContainText(`${((manifest.figures['validAccuracy'] ?? 0) * 100).toFixed(1)} %`)
  await expect(card.getByTestId('model-card-classes').getByRole('row')).toHaveCount(9)
  await expect(card).toContainText('5(1)(f)')
})

for (const colorScheme of ['light', 'dark'] as const) {
  test(`[MC5] the card meets WCAG 2.2 AA in every language, ${colorScheme}`, async ({ station, relay }) => {
    const { page } = station
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    for (const language of LANGUAGES) {
      await page.evaluate((choice) => localStorage.setItem('semblante.language', choice), language)
      await page.goto(`${relay.origin}/#/model`)
      await page.reload()
      await expect(page.getByTestId('model-card')).toBeVisible()
      expect(await page.evaluate(() => [document.documentElement.lang, document.documentElement.dir])).toEqual([
        language,
        language === 'fa' ? 'rtl' : 'ltr',
      ])
      const { violations } = await new AxeBuilder({ page }).withTags(RULES).analyze()
      expect(violations.map(({ id, nodes }) => `${language} ${id}: ${nodes.map((node) => node.target.join(' ')).join('; ')}`)).toEqual([])
      // Nothing may be wider than a phone.
      await page.setViewportSize({ width: 360, height: 740 })
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360)
      await page.setViewportSize({ width: 1280, height: 800 })
    }
  })
}

test('[MC6] after one visit the card opens without a server', async ({ station, relay }) => {
  const { page } = station
  await page.waitForFunction(() => navigator.serviceWorker.controller?.state === 'activated')
  await relay.stop()
  await page.goto(`${relay.origin}/#/model`)
  await page.reload()
  await expect(page.getByTestId('model-card-classes')).toBeVisible()
})
