/** How long a person waits between allowing the camera and the first reading. A figure to report: it depends on the machine. */
import { openStationBrowser } from './station-browser.ts'
import { openStationPage, type StationPage } from './station-page.ts'

/** Turns the camera of an opened page on. @returns milliseconds from the camera being given to a reading being shown. */
export async function measureFirstReading(station: StationPage): Promise<number> {
  await station.page.evaluate(() => {
    const { mediaDevices } = navigator
    const give = mediaDevices.getUserMedia.bind(mediaDevices)
    mediaDevices.getUserMedia = async (constraints) => {
      const stream = await give(constraints)
      performance.mark('camera-given')
      return stream
    }
  })
  await station.startCamera()
  // Asked at every display refresh. No function in it has a name: the command that runs this keeps names with a helper that pages lack.
  const measured = await station.page.waitForFunction(() => {
    const emotion = document.querySelector('[data-testid="reading-emotion"]')?.getAttribute('data-emotion') ?? 'none'
    const [given] = performance.getEntriesByName('camera-given')
    return emotion === 'none' || given === undefined ? undefined : performance.now() - given.startTime
  })
  return Number(await measured.jsonValue())
}

/** The second visit of a tablet, in a browser of its own: everything is in its cache. @returns milliseconds, as above. */
export async function measureWarmStart(origin: string): Promise<number> {
  const browser = await openStationBrowser({ camera: 'portrait' })
  try {
    const page = browser.context.pages()[0] ?? (await browser.context.newPage())
    await measureFirstReading(await openStationPage(page, origin, 'warm-start'))
    await page.waitForFunction(() => navigator.serviceWorker.controller?.state === 'activated')
    return await measureFirstReading(await openStationPage(page, origin, 'warm-start'))
  } finally {
    await browser.close()
  }
}
