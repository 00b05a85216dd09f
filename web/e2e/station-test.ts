/**
 * The test function of every spec here: each test gets its own relay process and its own browser, and fails when the page broke the
 * content security policy or threw, whatever else it proved.
 */
import { expect, test as base, type BrowserContext, type Page } from '@playwright/test'
import { startRelayProcess, type RelayProcess } from './relay-process.ts'
import { openStationBrowser, type CameraScene } from './station-browser.ts'
import { openStationPage, type StationPage } from './station-page.ts'

export { expect }

export const STATION = 'test-station'

interface StationFixtures {
  /** What is before the camera. */
  readonly camera: CameraScene
  /** Chromium's own, above those every test has. */
  readonly flags: readonly string[]
  readonly relay: RelayProcess
  readonly tablet: BrowserContext
  /** The live page, opened, camera not started. */
  readonly station: StationPage
}

export const test = base.extend<StationFixtures>({
  camera: ['portrait', { option: true }],
  flags: [[], { option: true }],
  relay: async ({}, use) => {
    const relay = await startRelayProcess()
    await use(relay)
    await relay.stop()
  },
  tablet: async ({ camera, flags }, use) => {
    const browser = await openStationBrowser({ camera, flags })
    const complaints: string[] = []
    browser.context.on('page', (page) => collectComplaints(page, complaints))
    for (const page of browser.context.pages()) collectComplaints(page, complaints)
    await use(browser.context)
    await browser.close()
    expect(complaints, 'violations of the content security policy and uncaught errors').toEqual([])
  },
  station: async ({ tablet, relay }, use) => {
    const page = tablet.pages()[0] ?? (await tablet.newPage())
    await use(await openStationPage(page, relay.origin, STATION))
  },
})

function collectComplaints(page: Page, complaints: string[]): void {
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => {
    if (/content.security.policy|violates the following/i.test(message.text())) complaints.push(message.text())
  })
}
