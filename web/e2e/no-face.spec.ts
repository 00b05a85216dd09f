import { expect, test } from './station-test.ts'
import { startStreamListener } from './stream-listener.ts'

/** Long enough for many whole-frame searches. */
const WATCH_MS = 6_000

for (const film of ['landscape', 'wall'] as const) {
  test.describe(film, () => {
    test.use({ camera: film })

    test(`[NF1] a film without a face (${film}) gives "no face", never an emotion`, async ({ station, relay }) => {
      const listener = startStreamListener(relay.origin)
      try {
        await station.startCamera()
        await expect.poll(async () => (await station.reading()).emotion).toBe('none')
        // The relay has heard an empty reading, so frames really are being analysed.
        await expect.poll(() => listener.heard.length).toBeGreaterThan(0)
        const shown = await station.page.evaluate(collectEmotions, WATCH_MS)
        expect(shown).toEqual(['none'])
        expect(listener.heard.flatMap((reading) => reading.faces)).toEqual([])
      } finally {
        await listener.stop()
      }
    })
  })
}

/** Runs in the page. @returns every value the reading showed, each once. */
function collectEmotions(durationMs: number): Promise<string[]> {
  return new Promise((resolve) => {
    const seen = new Set<string>()
    const startedAt = performance.now()
    const look = (now: number): void => {
      for (const element of document.querySelectorAll('[data-testid="reading-emotion"]'))
        seen.add(element.getAttribute('data-emotion') ?? '')
      if (now - startedAt < durationMs) requestAnimationFrame(look)
      else resolve([...seen])
    }
    requestAnimationFrame(look)
  })
}
