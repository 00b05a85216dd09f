/**
 * Cameras: which there are, opening one, and why that may fail, in words a page can act on. The browser's error names stay in
 * this file. Showing the picture and taking frames from it is left to the page and to `frame-source.ts`.
 */

/**
 * Why there is no picture.
 * - `denied`: the person or a policy said no; the browser's site settings undo it.
 * - `none`: no camera is connected.
 * - `in-use`: another program holds it.
 * - `unplugged`: it went away, or the chosen one is not there any more.
 * - `insecure-context`: browsers give cameras to https pages and localhost only.
 * - `unknown`: `detail` holds the browser's own words.
 */
export type CameraProblem = 'denied' | 'none' | 'in-use' | 'unplugged' | 'insecure-context' | 'unknown'

export interface CameraDevice {
  readonly id: string
  /** The browser's name for it; empty until the person has allowed a camera once. */
  readonly label: string
}

/** A camera that is running. Give `stream` to a video element's `srcObject`. */
export interface OpenCamera {
  readonly stream: MediaStream
  readonly device: CameraDevice
  readonly width: number
  readonly height: number
  /** Frames per second as the camera promised; 0 when it does not say. */
  readonly frameRate: number
}

export type CameraResult =
  { readonly ok: true; readonly camera: OpenCamera } | { readonly ok: false; readonly problem: CameraProblem; readonly detail: string }

export interface Cameras {
  /** The cameras connected now. Empty when there are none or the browser has no camera support. */
  list(): Promise<readonly CameraDevice[]>
  /**
   * Asks for permission where needed and starts a camera: the given one, else the one facing the person. One camera is open at a
   * time: opening closes the one before. Never rejects.
   */
  open(deviceId?: string): Promise<CameraResult>
  /** Stops the open camera (its light goes out). Harmless when none is open. */
  close(): void
  /** Called when the open camera stops by itself: unplugged, or permission taken back. Returns the unsubscribe. */
  onEnded(listener: (problem: CameraProblem) => void): () => void
  /** Called when a camera is connected or removed. Returns the unsubscribe. */
  onListChange(listener: () => void): () => void
}

/** The parts of the browser it needs, so that a test can stand in for them. */
export interface CameraBrowser {
  readonly isSecureContext: boolean
  /** Missing on insecure pages. */
  readonly mediaDevices: MediaDevices | undefined
}

const PREFERRED_WIDTH = 640
const PREFERRED_HEIGHT = 480
const PREFERRED_FRAME_RATE = 30

/** @param browser by default the page's own. */
export function createCameras(browser: CameraBrowser = thisBrowser()): Cameras {
  const endedListeners = new Set<(problem: CameraProblem) => void>()
  let openStream: MediaStream | undefined
  let openings = 0

  function close(): void {
    const stream = openStream
    openStream = undefined
    for (const track of stream?.getTracks() ?? []) track.stop()
  }

  async function open(deviceId?: string): Promise<CameraResult> {
    close()
    openings += 1
    const opening = openings
    const mediaDevices = browser.mediaDevices
    if (!browser.isSecureContext) return refuse('insecure-context', 'the page is neither https nor on localhost')
    if (mediaDevices === undefined) return refuse('unknown', 'this browser has no camera support')
    try {
      const stream = await mediaDevices.getUserMedia({ audio: false, video: toConstraints(deviceId) })
      if (opening !== openings) {
        for (const track of stream.getTracks()) track.stop()
        return refuse('unknown', 'another camera was opened meanwhile')
      }
      return adopt(stream)
    } catch (error) {
      return refuse(toProblem(error), error instanceof Error ? error.message : String(error))
    }
  }

  function adopt(stream: MediaStream): CameraResult {
    const track = stream.getVideoTracks()[0]
    if (track === undefined) return refuse('unknown', 'the browser gave a stream without a picture')
    openStream = stream
    track.addEventListener('ended', () => {
      if (openStream !== stream) return
      close()
      for (const listener of endedListeners) listener('unplugged')
    })
    const settings = track.getSettings()
    const device = { id: settings.deviceId ?? '', label: track.label }
    return {
      ok: true,
      camera: { stream, device, width: settings.width ?? 0, height: settings.height ?? 0, frameRate: settings.frameRate ?? 0 },
    }
  }

  return {
    open,
    close() {
      openings += 1
      close()
    },
    async list() {
      const devices = (await browser.mediaDevices?.enumerateDevices().catch(() => [])) ?? []
      return devices.filter((device) => device.kind === 'videoinput').map((device) => ({ id: device.deviceId, label: device.label }))
    },
    onEnded(listener) {
      endedListeners.add(listener)
      return () => endedListeners.delete(listener)
    },
    onListChange(listener) {
      browser.mediaDevices?.addEventListener('devicechange', listener)
      return () => {
        browser.mediaDevices?.removeEventListener('devicechange', listener)
      }
    },
  }
}

function thisBrowser(): CameraBrowser {
  const mediaDevices: unknown = Reflect.get(navigator, 'mediaDevices')
  return { isSecureContext, mediaDevices: mediaDevices instanceof MediaDevices ? mediaDevices : undefined }
}

function refuse(problem: CameraProblem, detail: string): CameraResult {
  return { ok: false, problem, detail }
}

function toConstraints(deviceId: string | undefined): MediaTrackConstraints {
  const shape = {
    width: { ideal: PREFERRED_WIDTH },
    height: { ideal: PREFERRED_HEIGHT },
    frameRate: { ideal: PREFERRED_FRAME_RATE },
  }
  return deviceId === undefined ? { ...shape, facingMode: 'user' } : { ...shape, deviceId: { exact: deviceId } }
}

/** Names as in Media Capture and Streams, section 10.2 (getUserMedia), with the older names Safari and Firefox used. */
function toProblem(error: unknown): CameraProblem {
  const name: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'name') : undefined
  switch (name) {
    case 'NotAllowedError':
    case 'PermissionDeniedError':
    case 'SecurityError':
      return 'denied'
    case 'NotFoundError':
    case 'DevicesNotFoundError':
      return 'none'
    case 'NotReadableError':
    case 'TrackStartError':
    case 'AbortError':
      return 'in-use'
    case 'OverconstrainedError':
    case 'ConstraintNotSatisfiedError':
      return 'unplugged'
    default:
      return 'unknown'
  }
}
