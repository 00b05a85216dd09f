/**
 * Which face of this frame is which of the frames before: gives every face an id that it keeps. Looks at boxes only, never at who it is.
 */
import type { DetectedFace } from './decode-faces.ts'
import { centreOf, intersectionOverUnion, type Rectangle } from './geometry.ts'

export interface TrackedFace extends DetectedFace {
  /** Counts from 1, never given to another face by the same tracker. */
  readonly id: number
}

export interface FaceTracker {
  /**
   * @param faces of one frame, at most one per person.
   * @param time in milliseconds, never falling.
   * @returns the same faces with their ids, largest first, at most `maxFaces`.
   */
  update(faces: readonly DetectedFace[], time: number): readonly TrackedFace[]
  /** The faces seen in the latest update, largest first. */
  readonly current: readonly TrackedFace[]
  /** True when a face of the update before was missing in the latest one. */
  hasLost(): boolean
  /** Forgets all faces; ids go on counting. */
  reset(): void
}

export interface FaceTrackerOptions {
  /** The largest ones are kept. */
  readonly maxFaces: number
  /** How long a face may be out of sight and still get its id back. Default 600 ms. */
  readonly rememberMs?: number
}

interface Track {
  face: TrackedFace
  seenAt: number
  /** In the latest update; then a long time since means that frames came late, not that the face was away. */
  isPresent: boolean
}

/** Between two frames, on a busy machine; after that nothing is known about who is there now. */
const LONGEST_GAP_MS = 5000
const MIN_OVERLAP = 0.15
/** Without overlap, the same face when it moved by less than this fraction of its size and kept its size within a factor of two. */
const MAX_SHIFT = 0.75

export function createFaceTracker({ maxFaces, rememberMs = 600 }: FaceTrackerOptions): FaceTracker {
  let tracks: Track[] = []
  let current: readonly TrackedFace[] = []
  let hasLost = false
  let lastId = 0

  function assign(faces: readonly DetectedFace[], time: number): readonly TrackedFace[] {
    const ids = matchFaces(faces, tracks)
    for (const track of tracks) track.isPresent = false
    return faces.map((face, index) => {
      const track = ids[index]
      if (track !== undefined) {
        track.face = { ...face, id: track.face.id }
        track.seenAt = time
        track.isPresent = true
        return track.face
      }
      lastId += 1
      const started = { face: { ...face, id: lastId }, seenAt: time, isPresent: true }
      tracks.push(started)
      return started.face
    })
  }

  return {
    update(faces, time) {
      tracks = tracks.filter((track) => time - track.seenAt <= (track.isPresent ? LONGEST_GAP_MS : rememberMs))
      const largest = [...faces].sort((a, b) => b.box.width * b.box.height - a.box.width * a.box.height).slice(0, maxFaces)
      const before = current
      current = assign(largest, time)
      const seen = new Set(current.map((face) => face.id))
      hasLost = before.some((face) => !seen.has(face.id))
      return current
    },
    get current() {
      return current
    },
    hasLost() {
      return hasLost
    },
    reset() {
      tracks = []
      current = []
      hasLost = false
    },
  }
}

/** The best pairs first; every face and every track is used once. */
function matchFaces(faces: readonly DetectedFace[], tracks: readonly Track[]): readonly (Track | undefined)[] {
  const pairs = faces.flatMap((face, index) =>
    tracks.map((track) => ({ index, track, likeness: likeness(face.box, track.face.box) })).filter((pair) => pair.likeness > 0),
  )
  pairs.sort((a, b) => b.likeness - a.likeness)
  const matched: (Track | undefined)[] = faces.map(() => undefined)
  const used = new Set<Track>()
  for (const { index, track } of pairs) {
    if (matched[index] !== undefined || used.has(track)) continue
    matched[index] = track
    used.add(track)
  }
  return matched
}

/** Above 1 for overlapping boxes, up to 1 for near ones, 0 for what cannot be the same face. */
function likeness(a: Rectangle, b: Rectangle): number {
  const overlap = intersectionOverUnion(a, b)
  if (overlap >= MIN_OVERLAP) return 1 + overlap
  const sizeRatio = Math.sqrt((a.width * a.height) / (b.width * b.height))
  if (!(sizeRatio > 0.5 && sizeRatio < 2)) return 0
  const from = centreOf(a)
  const to = centreOf(b)
  const shift = Math.hypot(from.x - to.x, from.y - to.y) / Math.sqrt(a.width * a.height)
  return shift <= MAX_SHIFT ? 1 - shift : 0
}
