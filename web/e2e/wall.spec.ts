import type { EmotionReading } from '#shared/protocol/emotion'
import { openTestClient } from '#shared/testing/test-client'
import { expect, STATION, test } from './station-test.ts'

const OTHER = 'anden-2'

/** What another program publishes as a station. */
function readingOf(time: number): EmotionReading {
  const probabilities = { neutral: 0.05, happiness: 0, surprise: 0, sadness: 0.9, anger: 0.05, disgust: 0, fear: 0, contempt: 0 }
  const face = {
    id: 1,
    box: { x: 0.4, y: 0.2, width: 0.2, height: 0.3 },
    emotion: 'sadness',
    confidence: 0.9,
    isCertain: true,
    probabilities,
  } as const
  return { station: OTHER, time, faces: [face], model: 'test@1' }
}

test('[WL20] two stations are on the wall at once, each with its reading and its trend; one is found, watched large, and falls quiet', async ({
  station,
  relay,
  tablet,
}) => {
  await station.startCamera()
  await expect.poll(async () => (await station.reading()).emotion).toBe('happiness')
  const response = await fetch(`${relay.origin}/api/auth/acquire-session`, { method: 'POST' })
  const { data }: { data: { token: string } } = await response.json()
  const other = await openTestClient(`${relay.origin.replace('http', 'ws')}/relay`, { subprotocols: ['semblante.v1'] })
  other.send({ type: 'hello', version: 1, token: data.token })
  await other.nextOf('welcome')
  const telling = setInterval(() => other.send({ type: 'publish', topic: `emotion/${OTHER}`, data: readingOf(Date.now()) }), 500)
  try {
    const wall = await tablet.newPage()
    // The address the wall had before.
    await wall.goto(`${relay.origin}/#/watch`)
    const tile = (name: string) => wall.locator(`[data-testid=wall-tile][data-station="${name}"]`)
    await expect(tile(STATION)).toHaveAttribute('data-emotion', 'happiness')
    await expect(tile(OTHER)).toHaveAttribute('data-emotion', 'sadness')
    for (const name of [STATION, OTHER])
      await expect(tile(name).getByTestId('trend').locator('path.line').first()).toHaveAttribute('d', /^M.+L/)

    await wall.getByTestId('wall-find').fill('ANDEN')
    await expect(wall.getByTestId('wall-tile')).toHaveCount(1)
    await wall.getByTestId('wall-find').fill('')
    await wall.getByTestId('wall-full').click()
    await expect(wall.getByTestId('wall-screen').getByTestId('wall-tile')).toHaveCount(2)
    await wall.getByTestId('wall-leave').click()
    await expect(wall.getByTestId('wall-screen')).toHaveCount(0)

    await tile(OTHER).click()
    await expect(wall.getByTestId('wall-detail')).toHaveAttribute('data-emotion', 'sadness')
    await expect(wall.getByTestId('trend').locator('[data-emotion]')).toHaveCount(8)
    clearInterval(telling)
    await wall.goto(`${relay.origin}/#/wall`)
    await expect(tile(OTHER)).toHaveAttribute('data-quiet', 'true')
    await expect(tile(STATION)).toHaveAttribute('data-quiet', 'false')
  } finally {
    clearInterval(telling)
    await other[Symbol.asyncDispose]()
  }
})
