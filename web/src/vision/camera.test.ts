import { describe, expect, it } from 'vitest'
import { type CameraProblem, createCameras } from './camera.ts'

/** A track that ends when told to. */
class FakeTrack extends EventTarget {
  label = 'Front camera'
  isStopped = false
  getSettings() {
    return { deviceId: 'front', width: 640, height: 480, frameRate: 30 }
  }
  stop() {
    this.isStopped = true
  }
  end() {
    this.dispatchEvent(new Event('ended'))
  }
}

interface FakeBrowser {
  readonly tracks: FakeTrack[]
  readonly asked: unknown[]
  readonly mediaDevices: unknown
}

/** The browser's side of the camera, as far as `camera.ts` uses it. `errorName` makes every opening fail with that name. */
function createBrowser(errorName?: string): FakeBrowser {
  const tracks: FakeTrack[] = []
  const asked: unknown[] = []
  const mediaDevices = Object.assign(new EventTarget(), {
    getUserMedia(constraints: unknown) {
      asked.push(constraints)
      if (errorName !== undefined) return Promise.reject(new DOMException('the words of the browser', errorName))
      const track = new FakeTrack()
      tracks.push(track)
      return Promise.resolve({ getTracks: () => [track], getVideoTracks: () => [track] })
    },
    enumerateDevices: () =>
      Promise.resolve([
        { kind: 'audioinput', deviceId: 'mic', label: 'Microphone' },
        { kind: 'videoinput', deviceId: 'front', label: 'Front camera' },
        { kind: 'videoinput', deviceId: 'back', label: '' },
      ]),
  })
  return { tracks, asked, mediaDevices }
}

/** The stand-in offers what is used and nothing else, so it cannot be typed as the whole. */
function createFakeCameras(browser: FakeBrowser, isSecureContext = true) {
  return Reflect.apply(createCameras, undefined, [{ isSecureContext, mediaDevices: browser.mediaDevices }])
}

describe('cameras', () => {
  it('[CA1] opens the camera that faces the person, and says what it got', async () => {
    const browser = createBrowser()
    const result = await createFakeCameras(browser).open()
    expect(result).toMatchObject({
      ok: true,
      camera: { device: { id: 'front', label: 'Front camera' }, width: 640, height: 480, frameRate: 30 },
    })
    expect(browser.asked).toMatchObject([{ audio: false, video: { facingMode: 'user' } }])
  })

  it('[CA2] opens exactly the camera that was chosen, and stops the one before', async () => {
    const browser = createBrowser()
    const cameras = createFakeCameras(browser)
    await cameras.open()
    await cameras.open('back')
    expect(browser.asked[1]).toMatchObject({ video: { deviceId: { exact: 'back' } } })
    expect(browser.tracks.map(({ isStopped }) => isStopped)).toEqual([true, false])
    cameras.close()
    expect(browser.tracks[1]?.isStopped).toBe(true)
  })

  const problems: readonly (readonly [string, CameraProblem])[] = [
    ['NotAllowedError', 'denied'],
    ['SecurityError', 'denied'],
    ['NotFoundError', 'none'],
    ['NotReadableError', 'in-use'],
    ['AbortError', 'in-use'],
    ['OverconstrainedError', 'unplugged'],
    ['TypeError', 'unknown'],
  ]
  it.each(problems)('[CA3] says why there is no picture: %s is %s', async (name, problem) => {
    expect(await createFakeCameras(createBrowser(name)).open()).toEqual({ ok: false, problem, detail: 'the words of the browser' })
  })

  it('[CA4] says that a page without https gets no camera, without asking for one', async () => {
    const browser = createBrowser()
    expect(await createFakeCameras(browser, false).open()).toMatchObject({ ok: false, problem: 'insecure-context' })
    expect(browser.asked).toEqual([])
  })

  it('[CA5] tells when the camera is unplugged while running, once, and not when it was closed on purpose', async () => {
    const browser = createBrowser()
    const cameras = createFakeCameras(browser)
    const heard: CameraProblem[] = []
    cameras.onEnded((problem: CameraProblem) => heard.push(problem))
    await cameras.open()
    browser.tracks[0]?.end()
    browser.tracks[0]?.end()
    expect(heard).toEqual(['unplugged'])
    await cameras.open()
    cameras.close()
    browser.tracks[1]?.end()
    expect(heard).toEqual(['unplugged'])
  })

  it('[CA6] lists cameras only, with an empty label until permission is given', async () => {
    expect(await createFakeCameras(createBrowser()).list()).toEqual([
      { id: 'front', label: 'Front camera' },
      { id: 'back', label: '' },
    ])
  })

  it('[CA7] a camera that arrives after close or after another was asked for is stopped at once', async () => {
    const browser = createBrowser()
    const cameras = createFakeCameras(browser)
    const opening = cameras.open()
    cameras.close()
    expect(await opening).toMatchObject({ ok: false })
    expect(browser.tracks[0]?.isStopped).toBe(true)
  })

  it('[CA8] tells when the list of cameras changes, until unsubscribed', () => {
    const browser = createBrowser()
    let count = 0
    const unsubscribe = createFakeCameras(browser).onListChange(() => (count += 1))
    const { mediaDevices } = browser
    if (!(mediaDevices instanceof EventTarget)) throw new Error('no event target')
    mediaDevices.dispatchEvent(new Event('devicechange'))
    unsubscribe()
    mediaDevices.dispatchEvent(new Event('devicechange'))
    expect(count).toBe(1)
  })
})
