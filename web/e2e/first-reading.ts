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
  const measured = station.page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        const look = (): void => {
          const emotion = document.querySelector('[data-testid="reading-emotion"]')?.getAttribute('data-emotion') ?? 'none'
          const [given] = performance.getEntriesByName('camera-given')
          if (emotion === 'none' || given === undefined) requestAnimationFrame(look)
          else resolve(performance.now() - given.startTime)
        }
        look()
      }),
  )
  await station.startCamera()
  return await measured
}
