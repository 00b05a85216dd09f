/** What the person chooses at the first start, and what a program of somebody else's hears because of it. */
import { openTestClient, type TestClient } from '#shared/testing/test-client'
import { startRelayProcess, type RelayProcess } from './relay-process.ts'
import { openStationPage, waitForPictures, type StationPage } from './station-page.ts'
import { expect, STATION, test } from './station-test.ts'
import { startStreamListener, type StreamListener } from './stream-listener.ts'

const FORGED = { station: STATION, time: 1, faces: [], model: 'forged@1' }
const TARGET_PX = 48

/** Another client, with the rights of any station. */
async function openForger(relay: RelayProcess): Promise<TestClient> {
  const response = await fetch(`${relay.origin}/api/auth/acquire-session`, { method: 'POST' })
  const body: { readonly data: { readonly token: string } } = JSON.parse(await response.text())
  const client = await openTestClient(`ws://127.0.0.1:${relay.port}/relay?token=${body.data.token}`)
  await client.nextOf('welcome')
  return client
}

async function forge(client: TestClient, topic: string, data: unknown): Promise<unknown> {
  client.send({ type: 'publish', id: topic, topic, data })
  return client.next(({ id }) => id === topic)
}

function topics({ messages }: StreamListener): readonly string[] {
  return [...new Set(messages.map(({ topic }) => topic))].sort()
}

async function expectHappiness(station: StationPage): Promise<void> {
  await expect.poll(async () => (await station.reading()).emotion).toBe('happiness')
}

test('[CN1] first start to first reading: nothing before both choices, readings carry them, one touch pauses, withdrawing ends it', async ({
  station,
  relay,
}) => {
  const { page } = station
  const listener = startStreamListener(relay.origin, '#')
  try {
    // Nothing is chosen for anybody; the button says what is missing and leads there.
    await page.getByTestId('camera-start').click()
    await expect(page.getByTestId('consent-missing')).toHaveRole('alert')
    await expect(page.getByTestId('consent-local')).toBeFocused()
    await expect(page.locator('input[type=radio]:checked')).toHaveCount(0)
    await page.getByTestId('responsible-link').first().click()
    await expect(page.getByTestId('responsible-page')).toBeVisible()
    await page.goBack()
    await page.getByTestId('consent-readings').check()
    await page.getByTestId('camera-start').click()
    await expect(page.getByTestId('purpose-safety')).toBeFocused()
    await expect.poll(() => topics(listener).length).toBeGreaterThan(0)
    expect(topics(listener).filter((topic) => !topic.startsWith('machine/'))).toEqual([])

    await station.startCamera({ mode: 'readings', purpose: 'research' })
    await expectHappiness(station)
    await expect.poll(() => listener.heard.at(-1)?.faces[0]?.emotion).toBe('happiness')
    expect(listener.heard.at(-1)?.consent).toEqual({ mode: 'readings', purpose: 'research' })
    const declared = listener.messages.find(({ topic }) => topic === `consent/${STATION}`)
    expect(declared?.data).toMatchObject({ mode: 'readings', purpose: 'research' })

    // The sign is on every page, and so is the pause.
    for (const route of ['', 'machines', 'wall', 'settings', 'responsible']) {
      await page.goto(`${relay.origin}/#/${route}`)
      await expect(page.getByTestId('camera-sign')).toBeInViewport({ ratio: 1 })
      const box = await page.getByTestId('camera-pause').boundingBox()
      expect(Math.min(box?.width ?? 0, box?.height ?? 0)).toBeGreaterThanOrEqual(TARGET_PX)
    }
    await page.getByTestId('camera-pause').click()
    await expect(page.getByTestId('camera-sign')).toBeHidden()
    await page.goto(`${relay.origin}/#/`)
    await page.getByTestId('camera-resume').click()
    await expectHappiness(station)

    await page.goto(`${relay.origin}/#/settings`)
    await page.getByTestId('consent-withdraw').click()
    await expect(page.getByTestId('consent-outcome')).toHaveAttribute('data-step', 'withdrawn')
    await expect(page.getByTestId('camera-sign')).toBeHidden()
    await expect
      .poll(() => listener.messages.findLast(({ topic }) => topic === `consent/${STATION}`)?.data)
      .toMatchObject({ mode: 'local' })
    const late = startStreamListener(relay.origin, '#')
    await expect.poll(() => topics(late)).toContain(`consent/${STATION}`)
    expect(topics(late)).not.toContain(`emotion/${STATION}`)
    await late.stop()
    await page.goto(`${relay.origin}/#/`)
    await expect(page.locator('input[type=radio]:checked')).toHaveCount(0)
  } finally {
    await listener.stop()
  }
})

test('[CN2] only on this tablet: it reads, and nothing is heard but that nothing will be; a forged reading is refused', async ({
  station,
  relay,
}) => {
  const { page } = station
  const listener = startStreamListener(relay.origin, '#')
  const forger = await openForger(relay)
  try {
    await station.startCamera({ mode: 'local', purpose: 'demonstration' })
    await expectHappiness(station)
    await expect.poll(() => topics(listener)).toContain(`consent/${STATION}`)
    await waitForPictures(page, 90)
    expect(await forge(forger, `emotion/${STATION}`, FORGED)).toMatchObject({ error: { code: 'consent.refused' } })
    expect(topics(listener).filter((topic) => topic.endsWith(STATION))).toEqual([`consent/${STATION}`])

    // A choice that is changed counts at once.
    await page.goto(`${relay.origin}/#/settings`)
    await page.getByTestId('consent-readings').check()
    await expect.poll(() => listener.heard.length).toBeGreaterThan(0)

    await page.getByTestId('consent-erase').click()
    await page.getByTestId('consent-erase-yes').click()
    await expect(page.getByTestId('consent-outcome')).toHaveAttribute('data-step', 'erased')
    const kept = await page.evaluate(() => ['consent', 'purpose', 'fallback'].map((name) => localStorage.getItem(`semblante.${name}`)))
    expect(kept).toEqual(['', '', 'ask'])
  } finally {
    forger.close()
    await listener.stop()
  }
})

test.describe('two people', () => {
  test.use({ camera: 'pair' })

  test('[CN3] totals only: sums of two are heard, and no single reading, whoever forges one or tries to lift the choice', async ({
    tablet,
  }) => {
    const relay = await startRelayProcess({ environment: { TOTALS_MIN_PEOPLE: '2', TOTALS_MIN_SECONDS: '2' } })
    const listener = startStreamListener(relay.origin, '#')
    const forger = await openForger(relay)
    try {
      const page = tablet.pages()[0] ?? (await tablet.newPage())
      const station = await openStationPage(page, relay.origin, STATION)
      await station.startCamera({ mode: 'totals', purpose: 'safety' })
      await expectHappiness(station)
      await expect.poll(() => topics(listener)).toContain(`totals/${STATION}`)
      const readings = { ...FORGED, consent: { mode: 'readings', purpose: 'safety' } }
      expect(await forge(forger, `emotion/${STATION}`, readings)).toMatchObject({ error: { code: 'consent.refused' } })
      const lift = { station: STATION, time: 1, mode: 'readings', purpose: 'safety' }
      expect(await forge(forger, `consent/${STATION}`, lift)).toMatchObject({ error: { code: 'consent.held' } })
      expect(await forge(forger, `emotion/${STATION}`, readings)).toMatchObject({ error: { code: 'consent.refused' } })
      await waitForPictures(page, 60)
      const totals = listener.messages.find(({ topic }) => topic === `totals/${STATION}`)
      expect(totals?.data).toMatchObject({ people: 2, consent: { mode: 'totals', purpose: 'safety' } })
      expect(topics(listener).filter((topic) => topic.endsWith(STATION))).toEqual([`consent/${STATION}`, `totals/${STATION}`])
    } finally {
      forger.close()
      await listener.stop()
      await relay.stop()
    }
  })
})
