import { describe, expect, it } from 'vitest'
import type { CameraDevice, CameraProblem, CameraResult, Cameras } from '../vision/camera.ts'
import { createCameraState } from './camera-state.svelte.ts'
import { createRememberedSettings } from './remembered-settings.ts'

/** Cameras of which the test says how they answer. */
function createScriptedCameras() {
  const ended = new Set<(problem: CameraProblem) => void>()
  const changed = new Set<() => void>()
  const opened: (string | undefined)[] = []
  let devices: readonly CameraDevice[] = [{ id: 'front', label: 'Front' }]
  let answer: (deviceId?: string) => Promise<CameraResult> = (deviceId) => Promise.resolve(running(deviceId ?? 'front'))
  const cameras: Cameras = {
    list: () => Promise.resolve(devices),
    open(deviceId) {
      opened.push(deviceId)
      return answer(deviceId)
    },
    close() {},
    onEnded(listener) {
      ended.add(listener)
      return () => ended.delete(listener)
    },
    onListChange(listener) {
      changed.add(listener)
      return () => changed.delete(listener)
    },
  }
  return {
    cameras,
    opened,
    answerWith: (next: (deviceId?: string) => Promise<CameraResult>): void => {
      answer = next
    },
    end: (problem: CameraProblem): void => {
      for (const listener of ended) listener(problem)
    },
    plug: (next: readonly CameraDevice[]): void => {
      devices = next
      for (const listener of changed) listener()
    },
  }
}

function running(deviceId: string, facingMode?: string): CameraResult {
  const track = { getSettings: () => (facingMode === undefined ? {} : { facingMode }) }
  const stream: MediaStream = Object.create(null, { getVideoTracks: { value: () => [track] } })
  return { ok: true, camera: { stream, device: { id: deviceId, label: deviceId }, width: 640, height: 480, frameRate: 30 } }
}

const refused = (problem: CameraProblem): CameraResult => ({ ok: false, problem, detail: 'said the browser' })

/** Lets every promise that can settle do so. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function setUp(remembered: Record<string, string> = {}) {
  const scripted = createScriptedCameras()
  const values = new Map(Object.entries(remembered).map(([name, value]) => [`semblante.${name}`, value]))
  const storage = {
    getItem: (key: string) => values.get(key) ?? null,
    setItem: (key: string, value: string) => void values.set(key, value),
  }
  const state = createCameraState(
    scripted.cameras,
    createRememberedSettings(() => storage),
  )
  const stop = state.start()
  return { ...scripted, state, stop, values }
}

describe('camera state', () => {
  it('[CS1] is idle until the person turns it on, then asking, then running', async () => {
    const { state } = setUp()
    expect(state.status.kind).toBe('idle')
    const turningOn = state.turnOn()
    expect(state.status.kind).toBe('asking')
    await turningOn
    expect(state.status.kind).toBe('running')
  })

  it.each(['denied', 'none', 'in-use', 'insecure-context', 'unknown'] as const)('[CS2] names the problem: %s', async (problem) => {
    const { state, answerWith } = setUp()
    answerWith(() => Promise.resolve(refused(problem)))
    await state.turnOn()
    expect(state.status).toEqual({ kind: 'problem', problem, detail: 'said the browser' })
  })

  it('[CS3] mirrors cameras that face the person or do not say, not those that look away', async () => {
    const { state, answerWith } = setUp()
    await state.turnOn()
    expect(state.status).toMatchObject({ kind: 'running', isMirrored: true })
    answerWith(() => Promise.resolve(running('back', 'environment')))
    await state.turnOn()
    expect(state.status).toMatchObject({ kind: 'running', isMirrored: false })
  })

  it('[CS4] comes back by itself when an unplugged camera is plugged in again', async () => {
    const { state, end, plug } = setUp()
    await state.turnOn()
    end('unplugged')
    expect(state.status).toMatchObject({ kind: 'problem', problem: 'unplugged' })
    plug([])
    await settle()
    expect(state.status.kind).toBe('problem')
    plug([{ id: 'front', label: 'Front' }])
    await settle()
    expect(state.status.kind).toBe('running')
  })

  it('[CS5] does not turn on by itself after the person paused or was refused', async () => {
    const { state, plug, answerWith, opened } = setUp()
    await state.turnOn()
    state.pause()
    plug([{ id: 'other', label: 'Other' }])
    await settle()
    expect(state.status.kind).toBe('paused')
    answerWith(() => Promise.resolve(refused('denied')))
    await state.turnOn()
    plug([{ id: 'front', label: 'Front' }])
    await settle()
    expect(opened).toHaveLength(2)
  })

  it('[CS6] falls back to any camera when the remembered one is gone', async () => {
    const { state, answerWith, opened } = setUp({ camera: 'old' })
    answerWith((deviceId) => Promise.resolve(deviceId === 'old' ? refused('unplugged') : running('front')))
    await state.turnOn()
    expect(opened).toEqual(['old', undefined])
    expect(state.status.kind).toBe('running')
  })

  it('[CS7] stays paused when the person pauses while the browser is still asking', async () => {
    const { state, answerWith } = setUp()
    let allow: (result: CameraResult) => void = () => {}
    answerWith(() => new Promise((resolve) => (allow = resolve)))
    const turningOn = state.turnOn()
    state.pause()
    allow(running('front'))
    await turningOn
    expect(state.status.kind).toBe('paused')
  })

  it('[CS8] remembers the chosen camera and switches at once while running', async () => {
    const { state, opened, values } = setUp()
    await state.choose('back')
    expect(opened).toEqual([])
    await state.turnOn()
    await state.choose('front')
    expect(opened).toEqual(['back', 'front'])
    expect(values.get('semblante.camera')).toBe('front')
  })

  it('[CS9] opens the camera anew when its track ended or fell silent unnoticed, and leaves one that works alone', async () => {
    const { state, answerWith, opened } = setUp()
    const track = { readyState: 'live', muted: false, getSettings: () => ({}) }
    const stream: MediaStream = Object.create(null, { getVideoTracks: { value: () => [track] } })
    const device = { id: 'front', label: 'Front' }
    answerWith(() => Promise.resolve({ ok: true, camera: { stream, device, width: 640, height: 480, frameRate: 30 } }))
    await state.checkUp()
    await state.turnOn()
    await state.checkUp()
    expect(opened).toHaveLength(1)
    track.muted = true
    await state.checkUp()
    expect(opened).toHaveLength(2)
    Object.assign(track, { muted: false, readyState: 'ended' })
    await state.checkUp()
    expect(opened).toHaveLength(3)
    state.pause()
    await state.checkUp()
    expect(opened).toHaveLength(3)
  })
})
