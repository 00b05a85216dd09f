import type { StationPage } from './station-page.ts'
import { expect, test } from './station-test.ts'

test.describe('a camera that may not be used', () => {
  test.use({ camera: 'refused' })

  test('[CP1] a refused camera is explained, with a way to try again', async ({ station }) => {
    await station.startCamera()
    await expectExplained(station, 'denied')
  })
})

test.describe('no camera', () => {
  test.use({ camera: 'unplugged' })

  test('[CP2] a missing camera is explained, with a way to try again', async ({ station }) => {
    await station.startCamera()
    await expectExplained(station, 'none')
  })
})

test('[CP3] a camera another program holds is explained, and read once it is free', async ({ station }) => {
  await station.page.evaluate(() => {
    const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices)
    navigator.mediaDevices.getUserMedia = () => {
      navigator.mediaDevices.getUserMedia = open
      return Promise.reject(new DOMException('Device in use', 'NotReadableError'))
    }
  })
  await station.startCamera()
  await expectExplained(station, 'in-use')
  await station.page.getByTestId('camera-start').click()
  await expect.poll(async () => (await station.reading()).emotion).toBe('happiness')
})

test('[CP4] a camera unplugged while it runs is explained, and read once it is back', async ({ station }) => {
  await station.startCamera()
  await expect.poll(async () => (await station.reading()).emotion).toBe('happiness')
  await station.page.evaluate(() => {
    const stream = document.querySelector('video')?.srcObject
    if (!(stream instanceof MediaStream)) throw new Error('No film is playing.')
    for (const track of stream.getVideoTracks()) {
      track.stop()
      // `stop()` is the page's own doing and fires nothing; a pulled cable does.
      track.dispatchEvent(new Event('ended'))
    }
  })
  await expectExplained(station, 'unplugged')
  await station.page.getByTestId('camera-start').click()
  await expect.poll(async () => (await station.reading()).emotion).toBe('happiness')
})

/** What happened, what to do, and a button to do it. */
async function expectExplained(station: StationPage, problem: string): Promise<void> {
  const notice = station.page.getByTestId('camera-notice')
  await expect(notice).toHaveAttribute('data-problem', problem)
  await expect(notice.getByRole('heading')).not.toBeEmpty()
  await expect(notice.getByRole('paragraph')).not.toBeEmpty()
  await expect(notice.getByTestId('camera-start')).toBeEnabled()
}
