/**
 * What keeps a tablet reading for weeks: the screen stays on while the camera runs; what gave up is tried again; after sleep or a set clock everything
 * begins where it should; heat, battery and a hidden page slow it down. Fetched after the first reading has begun. Each decision is a
 * module of its own; this only ties them to the page.
 */
import type { ClientClock } from '#shared/client/client-clock'
import type { RelayLink } from './link/relay-link.ts'
import type { CameraState, CameraStatus } from './state/camera-state.svelte.ts'
import type { PaceState } from './state/pace-state.svelte.ts'
import { type Condition, createSelfRecovery } from './state/self-recovery.ts'
import { createStallWatch } from './state/stall-watch.ts'
import { startTimeWatch, type TimeEvent } from './state/time-watch.ts'
import type { VisionState, VisionStatus } from './state/vision-state.svelte.ts'
import { createWakeLock } from './state/wake-lock.ts'
import { watchBattery } from './vision/battery.ts'
import { createReadingPace } from './vision/reading-pace.ts'
import type { VisionClient } from './vision/vision-client.ts'

export interface KeepRunningDeps {
  readonly camera: CameraState
  readonly visionState: VisionState
  readonly vision: Pick<VisionClient, 'onAnalysis'>
  readonly link: Pick<RelayLink, 'retryNow'>
  readonly pace: PaceState
  readonly clock: ClientClock
  /** Pictures the camera has shown so far. */
  readonly countShown: () => number
  /** Forgets faces and smoothing: what comes next does not follow what was. */
  readonly forgetFaces: () => void
}

const CHECK_EVERY_MS = 5000
/** A camera that comes back from sleep is mute for a moment. */
const MUTE_GRACE_MS = 5000

/** For as long as the page lives. */
export function startKeepRunning(deps: KeepRunningDeps): void {
  const { camera, visionState, clock } = deps
  const isVisible = (): boolean => document.visibilityState === 'visible'
  const wakeLock = createWakeLock({
    request: 'wakeLock' in navigator ? () => navigator.wakeLock.request('screen') : undefined,
    isVisible,
    onVisibility,
  })
  const cameraRecovery = createSelfRecovery(clock, () => void camera.turnOn())
  const visionRecovery = createSelfRecovery(clock, () => visionState.open())
  const stallWatch = createStallWatch(() => performance.now())

  $effect.root(() => {
    $effect(() => (camera.status.kind === 'running' ? wakeLock.hold() : undefined))
    $effect(() => cameraRecovery.note(toCameraCondition(camera.status)))
    $effect(() => visionRecovery.note(toVisionCondition(visionState.status)))
  })
  clock.every(CHECK_EVERY_MS, () => {
    const isWatched = camera.status.kind === 'running' && isVisible()
    if (stallWatch.check(isWatched ? deps.countShown() : undefined)) void camera.turnOn()
  })
  startTimeWatch({ clock, monotonicMs: () => performance.now(), isVisible, onEvent: (event) => onTime(event, deps) })
  startPace(deps, isVisible)
}

function onTime(event: TimeEvent, { camera, link, clock, forgetFaces }: KeepRunningDeps): void {
  forgetFaces()
  link.retryNow()
  if (event.kind === 'slept') clock.after(MUTE_GRACE_MS, () => void camera.checkUp())
}

function startPace({ camera, visionState, vision, pace, clock }: KeepRunningDeps, isVisible: () => boolean): void {
  const decided = createReadingPace()
  const apply = (): void => pace.choose(decided.current)
  const noteVisibility = (): void => {
    decided.noteHidden(!isVisible())
    apply()
  }
  noteVisibility()
  onVisibility(noteVisibility)
  watchBattery(navigator, (report) => {
    decided.noteBattery(report)
    apply()
  })
  vision.onAnalysis(({ stages, faces }) => decided.noteFrame({ durationMs: stages.totalMs, faces: faces.length }, performance.now()))
  clock.every(CHECK_EVERY_MS, apply)
  // Another camera or another engine takes another time.
  $effect.root(() => {
    $effect(() => {
      if (camera.status.kind === 'running' && visionState.status.kind === 'ready') decided.reset()
    })
  })
}

function onVisibility(listener: () => void): () => void {
  document.addEventListener('visibilitychange', listener)
  return () => document.removeEventListener('visibilitychange', listener)
}

/** Permission that was refused is the person's own word: not asked again. */
function toCameraCondition(status: CameraStatus): Condition {
  switch (status.kind) {
    case 'running':
      return 'well'
    case 'asking':
      return 'busy'
    case 'idle':
    case 'paused':
      return 'off'
    case 'problem':
      return status.problem === 'denied' || status.problem === 'insecure-context' ? 'off' : 'failed'
  }
}

function toVisionCondition(status: VisionStatus): Condition {
  switch (status.kind) {
    case 'ready':
      return 'well'
    case 'failed':
      return 'failed'
    case 'loading':
    case 'restarting':
      return 'busy'
    case 'closed':
      return 'off'
  }
}
