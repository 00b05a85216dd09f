/** How long a person waits between allowing the camera and the first reading. A figure to report: it depends on the machine. */
import type { StationPage } from './station-page.ts'

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
