/**
 * The camera as the person sees it: off, asking, running, paused, or a problem with a way out. Comes back by itself when an unplugged
 * camera is plugged in again. Browser error names are left to `vision/camera.ts`.
 */
import type { CameraDevice, CameraProblem, Cameras, OpenCamera } from '../vision/camera.ts'
import type { RememberedSettings } from './remembered-settings.ts'

export type { CameraDevice, CameraProblem }

export type CameraStatus =
  | { readonly kind: 'idle' }
  | { readonly kind: 'asking' }
  | { readonly kind: 'running'; readonly camera: OpenCamera; readonly isMirrored: boolean }
  | { readonly kind: 'paused' }
  | { readonly kind: 'problem'; readonly problem: CameraProblem; readonly detail: string }

export class CameraState {
  readonly #cameras: Cameras
  readonly #remembered: RememberedSettings
  #status = $state.raw<CameraStatus>({ kind: 'idle' })
  #devices = $state.raw<readonly CameraDevice[]>([])
  /** Undefined: the one facing the person. */
  #chosenId = $state<string | undefined>()

  constructor(cameras: Cameras, remembered: RememberedSettings) {
    this.#cameras = cameras
    this.#remembered = remembered
    this.#chosenId = remembered.read('camera')
  }

  get status(): CameraStatus {
    return this.#status
  }

  get devices(): readonly CameraDevice[] {
    return this.#devices
  }

  get chosenId(): string | undefined {
    return this.#chosenId
  }

  /** Listens to the browser until `stop` is called. */
  start(): () => void {
    const forgetEnded = this.#cameras.onEnded((problem) => {
      this.#status = { kind: 'problem', problem, detail: '' }
    })
    const forgetList = this.#cameras.onListChange(() => void this.#onListChange())
    void this.#refreshDevices()
    return () => {
      forgetEnded()
      forgetList()
      this.#cameras.close()
    }
  }

  /** Asks where needed and opens the chosen camera; falls back to any other when the chosen one is gone. */
  async turnOn(): Promise<void> {
    this.#status = { kind: 'asking' }
    const chosen = await this.#cameras.open(this.#chosenId)
    const isChosenGone = !chosen.ok && chosen.problem === 'unplugged' && this.#chosenId !== undefined
    const result = isChosenGone ? await this.#cameras.open() : chosen
    // Paused or reopened while the browser was asking.
    if (!this.#isAsking()) return
    this.#status = result.ok
      ? { kind: 'running', camera: result.camera, isMirrored: isFacingPerson(result.camera) }
      : { kind: 'problem', problem: result.problem, detail: result.detail }
    await this.#refreshDevices()
  }

  /** Opens the camera anew when it was taken away unnoticed, as while the tablet slept. */
  async checkUp(): Promise<void> {
    if (this.#status.kind !== 'running') return
    const track = this.#status.camera.stream.getVideoTracks()[0]
    if (track === undefined || track.readyState === 'ended' || track.muted) await this.turnOn()
  }

  pause(): void {
    this.#cameras.close()
    this.#status = { kind: 'paused' }
  }

  /** As before the first start. */
  turnOff(): void {
    this.#cameras.close()
    this.#status = { kind: 'idle' }
  }

  async choose(deviceId: string): Promise<void> {
    this.#chosenId = deviceId
    this.#remembered.write('camera', deviceId)
    if (this.#status.kind !== 'idle' && this.#status.kind !== 'paused') await this.turnOn()
  }

  #isAsking(): boolean {
    return this.#status.kind === 'asking'
  }

  async #onListChange(): Promise<void> {
    await this.#refreshDevices()
    const isMissing = this.#status.kind === 'problem' && (this.#status.problem === 'unplugged' || this.#status.problem === 'none')
    if (isMissing && this.#devices.length > 0) await this.turnOn()
  }

  async #refreshDevices(): Promise<void> {
    this.#devices = await this.#cameras.list()
  }
}

export function createCameraState(cameras: Cameras, remembered: RememberedSettings): CameraState {
  return new CameraState(cameras, remembered)
}

/** Laptop and desktop cameras do not say where they face: they face the person. */
function isFacingPerson(camera: OpenCamera): boolean {
  return camera.stream.getVideoTracks()[0]?.getSettings().facingMode !== 'environment'
}
