import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { EMOTIONS } from '#shared/model/emotions'
import { type TinyNetworkWish, writeTinyNetwork } from '../../model/evaluate/tiny-network.ts'
import { type RelayProcess, startRelayProcess } from './relay-process.ts'
import { openStationPage, type StationPage } from './station-page.ts'
import { expect, STATION, test as base } from './station-test.ts'

/** What `writeTinyNetwork` calls its network; its manifest is `tiny.json`. */
const PLUGGED = 'tiny@0.1.0'
const OWN = /^semblante-emotion@/
const INPUT = { name: 'input', width: 48, height: 48, layout: 'NCHW', color: 'gray', mean: 127.5, scale: 127.5 }

interface NetworkFixtures {
  /** What the operator dropped into MODELS_DIR. */
  readonly network: TinyNetworkWish
  readonly modelsDir: string
  readonly emotionModel: string
}

const test = base.extend<NetworkFixtures>({
  network: [{}, { option: true }],
  emotionModel: ['', { option: true }],
  modelsDir: async ({ network }, use) => {
    const folder = await mkdtemp(join(tmpdir(), 'semblante-networks-'))
    await writeTinyNetwork(folder, network)
    await use(folder)
    await rm(folder, { recursive: true, force: true })
  },
  relay: async ({ modelsDir, emotionModel }, use) => {
    const relay = await startRelayProcess({ environment: { MODELS_DIR: modelsDir, EMOTION_MODEL: emotionModel } })
    await use(relay)
    await relay.stop()
  },
})

test.describe('a network of MODELS_DIR', () => {
  test('[NW1] chosen in settings it reads, and is named; the empty choice brings the own one back', async ({ station, relay }) => {
    await choose(station.page, relay, '/models/tiny.json')
    await expectReading(station)
    await expectNetwork(station.page, relay, PLUGGED)
    await choose(station.page, relay, '')
    await expectReading(station)
    await expectNetwork(station.page, relay, OWN)
  })

  test('[NW2] once used it reads without a server', async ({ station, relay }) => {
    await choose(station.page, relay, '/models/tiny.json')
    await expectReading(station)
    await station.page.waitForFunction(() => navigator.serviceWorker.controller?.state === 'activated')
    await relay.stop()
    await station.page.reload()
    await expectReading(station)
    await expectNetwork(station.page, relay, PLUGGED)
  })
})

const FAULTS: readonly (readonly [string, string, TinyNetworkWish])[] = [
  ['/sha256', 'another checksum', { manifest: { sha256: 'b'.repeat(64) } }],
  ['/input/height', 'another shape', { manifest: { input: { ...INPUT, width: 64, height: 64 } } }],
  ['/classes', 'a class that is missing', { classes: EMOTIONS.filter((name) => name !== 'fear') }],
]
for (const [field, what, network] of FAULTS) {
  test.describe(`a network with ${what}`, () => {
    test.use({ network })
    test(`[NW3] is refused by its field, ${field}, and the own network reads on: ${what}`, async ({ station, relay }) => {
      await choose(station.page, relay, '/models/tiny.json')
      await station.startCamera()
      const notice = station.page.getByTestId('network-refused')
      await expect(notice).toContainText(field)
      await notice.getByRole('button').click()
      await expect(notice).toBeHidden()
      await expect.poll(async () => (await station.reading()).emotion).toBe('happiness')
      await expectNetwork(station.page, relay, OWN)
      await expect(station.page.getByTestId('network-problem')).toContainText(field)
    })
  })
}

test('[NW4] a manifest that is not there is said by its name, and the own network reads on', async ({ station, relay }) => {
  await choose(station.page, relay, '/models/nowhere.json')
  await station.startCamera()
  await expect(station.page.getByTestId('network-refused')).toContainText('nowhere.json')
  await expect.poll(async () => (await station.reading()).emotion).toBe('happiness')
})

test.describe('EMOTION_MODEL', () => {
  test.use({ emotionModel: 'tiny' })

  test('[NW5] is what a page takes that was told nothing, without the server too', async ({ station, relay }) => {
    await expectReading(station)
    await expectNetwork(station.page, relay, PLUGGED)
    await station.page.waitForFunction(() => navigator.serviceWorker.controller?.state === 'activated')
    await relay.stop()
    await station.page.goto(`${relay.origin}/#/`)
    await station.page.reload()
    await expectReading(station)
    await expectNetwork(station.page, relay, PLUGGED)
  })
})

test('[NW6] a relay without EMOTION_MODEL leaves the page its own network', async ({ tablet, relay }) => {
  const station = await openStationPage(tablet.pages()[0] ?? (await tablet.newPage()), relay.origin, STATION)
  await station.startCamera()
  await expect.poll(async () => (await station.reading()).emotion).toBe('happiness')
  await expectNetwork(station.page, relay, OWN)
})

/** As a person does: on the settings page, then the page starts again. */
async function choose(page: Page, relay: RelayProcess, manifest: string): Promise<void> {
  await page.goto(`${relay.origin}/#/settings`)
  await page.getByTestId('emotion-network-field').fill(manifest)
  await page.getByTestId('emotion-network-save').click()
  await page.goto(`${relay.origin}/#/`)
  await page.reload()
}

/** Whatever it reads: an untrained network has no opinion worth a test. */
async function expectReading(station: StationPage): Promise<void> {
  await station.startCamera()
  await expect.poll(async () => (await station.faces()).length).toBe(1)
}

async function expectNetwork(page: Page, relay: RelayProcess, name: string | RegExp): Promise<void> {
  await page.goto(`${relay.origin}/#/settings`)
  await expect(page.getByTestId('network-name')).toHaveText(name)
}
