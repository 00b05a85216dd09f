/**
 * From a picture to readings: search, decode, track, align, classify, smooth. Runs wherever the two networks run: the tablet's worker,
 * the relay, a test. Getting the pixels and running the networks are left to whoever makes it.
 */
import { EMOTIONS, type EmotionName } from '#shared/model/emotions'
import { DEFAULT_TIME_CONSTANT_MS, smooth } from '#shared/model/smoothing'
import { alignFace, type EyePair, type Similarity } from './align-face.ts'
import { createAnchors } from './anchors.ts'
import { toProbabilities } from './class-probabilities.ts'
import { chooseCloser, MIN_SCORE_PERHAPS, sharpen } from './closer-look.ts'
import { decodeFaces, type DetectedFace, type RawDetections, toFrameFace } from './decode-faces.ts'
import type { Pixels, Rectangle } from './geometry.ts'
import type { ModelManifest } from './model-manifest.ts'
import { inputDims, valuesPerFace } from './network-shape.ts'
import { keepBest, mergeOverlapping } from './non-maximum-suppression.ts'
import { preprocess } from './preprocess.ts'
import { preprocessTurned } from './preprocess-turned.ts'
import { type FaceQuality, type JudgedFace, judgeFace, QUALITY_CROP, type UnsureReason } from './quality.ts'
import { sampleCrop } from './sample-crop.ts'
import { aroundFace, placeOf, type SearchRegion, wholeFrame } from './search-regions.ts'
import { createFaceTracker, type TrackedFace } from './track-faces.ts'

/** The shape of a batch of pictures: what the first dimensions of the input are. */
export interface DetectorBatch {
  /** Planes of red, green and blue, picture after picture. Valid until the next call. */
  readonly input: Float32Array
  readonly count: number
  readonly width: number
  readonly height: number
}

export interface ClassifierBatch {
  /** Crops after each other, as the manifest wants them. Valid until the next call. */
  readonly input: Float32Array
  readonly count: number
  /** The tensor's lengths, `count` first. */
  readonly dims: readonly number[]
}

/** The two networks, wherever they run. What they reject with passes through `analyse`. */
export interface FaceNetworks {
  detect(batch: DetectorBatch): Promise<RawDetections>
  /** One row of numbers per crop, in the order of the manifest's classes. */
  classify(batch: ClassifierBatch): Promise<Float32Array>
}

export interface ReadFace {
  /** Stable while the face stays in view, counting from 1, never reused while the pipeline lives. */
  readonly id: number
  /** Fractions of the frame. */
  readonly box: Rectangle
  /** The detector's score, 0 to 1. */
  readonly score: number
  /** The most probable class after smoothing. */
  readonly emotion: EmotionName
  /** Calibrated, smoothed probability of `emotion`. */
  readonly confidence: number
  /** False where the network abstains: show "unsure". */
  readonly isCertain: boolean
  /** How well the face can be seen, 0 to 1; below 0.5 it is not read. */
  readonly quality: number
  /** What keeps the face from being read; absent where only the look itself is unclear, and where `isCertain`. */
  readonly unsureBecause?: UnsureReason
  /** In the order of `EMOTIONS`; sums to 1. Smoothed over time, calibrated. */
  readonly probabilities: readonly number[]
}

export interface PipelineAnalysis {
  readonly faces: readonly ReadFace[]
  readonly search: 'find' | 'follow'
  readonly detectMs: number
  readonly classifyMs: number
}

/** A face that was found and not read. */
export interface LocatedFace {
  /** As a `ReadFace`'s: both count together. */
  readonly id: number
  /** Fractions of the frame. */
  readonly box: Rectangle
  /** The detector's score, 0 to 1. */
  readonly score: number
}

export interface FacePipeline {
  /**
   * One at a time.
   * @param time when the picture was taken, in milliseconds, for tracking and smoothing; a step back counts as no time.
   */
  analyse(frame: Pixels, time: number): Promise<PipelineAnalysis>
  /** Where faces are, for whoever has them read elsewhere. One at a time with `analyse`; ids go on between the two. */
  locate(frame: Pixels, time: number): Promise<readonly LocatedFace[]>
  /** Forgets faces and smoothing; ids go on counting. */
  reset(): void
}

export interface FacePipelineOptions {
  readonly networks: FaceNetworks
  readonly manifest: ModelManifest
  /** 1 to 16. */
  readonly maxFaces: number
  /** A clock for the stage times, in milliseconds. */
  readonly now: () => number
  /** How often the whole frame is searched although every known face is being followed. Default 1000; 0 searches it every time. */
  readonly findEveryMs?: number
  /** How many faces are followed one by one; with more, searching the whole frame is cheaper. Default 2. */
  readonly maxFollowed?: number
  /** Default 250. 0 gives each frame's own probabilities. */
  readonly smoothingMs?: number
  /** Says whether a face can be read. Default `judgeFace`. */
  readonly judge?: (face: JudgedFace) => FaceQuality
}

/** Where a face was a moment ago, less is needed to believe in it. */
const MIN_SCORE_FOLLOW = 0.3
const MAX_OVERLAP = 0.3
const GRAY_CROP = { size: QUALITY_CROP, color: 'gray', layout: 'NCHW', mean: [0], scale: [1] } as const
const UNSEEN: FaceQuality = { quality: 0, fault: null }

/** What one frame says about one face, before smoothing. */
interface FaceClasses {
  readonly quality: FaceQuality
  readonly probabilities: readonly number[]
}

export function createFacePipeline(options: FacePipelineOptions): FacePipeline {
  const { networks, manifest, maxFaces, now } = options
  const findEveryMs = options.findEveryMs ?? 1000
  const maxFollowed = options.maxFollowed ?? 2
  const smoothingMs = options.smoothingMs ?? DEFAULT_TIME_CONSTANT_MS
  const judge = options.judge ?? judgeFace
  const tracker = createFaceTracker({ maxFaces })
  const anchorsOf = new Map<string, Float32Array>()
  const { input } = manifest
  const eyes = cropEyes(manifest, input.size)
  const cropValues = valuesPerFace(input)
  const crops = new Float32Array(maxFaces * cropValues)
  const isOwnQualityCrop = input.color !== 'gray' || input.size !== QUALITY_CROP
  const qualityEyes = cropEyes(manifest, QUALITY_CROP)
  const qualityCrop = new Float32Array(QUALITY_CROP * QUALITY_CROP)
  let detectorInput = new Float32Array(0)
  let smoothed = new Map<number, { readonly probabilities: readonly number[]; readonly time: number }>()
  let foundAt = Number.NEGATIVE_INFINITY
  let latest = 0

  function anchors(width: number, height: number): Float32Array {
    const key = `${String(width)}x${String(height)}`
    const known = anchorsOf.get(key)
    if (known !== undefined) return known
    // One camera has one or two shapes; a stream of pictures of all shapes must not fill the memory.
    if (anchorsOf.size >= 16) anchorsOf.clear()
    const made = createAnchors(width, height)
    anchorsOf.set(key, made)
    return made
  }

  /** All regions must have the same input size. */
  async function search(frame: Pixels, regions: readonly SearchRegion[], minScore: number): Promise<readonly DetectedFace[]> {
    const [first] = regions
    if (first === undefined) return []
    const { inputWidth: width, inputHeight: height } = first
    const size = 3 * width * height
    if (detectorInput.length < size * regions.length) detectorInput = new Float32Array(size * regions.length)
    const input = detectorInput.subarray(0, size * regions.length)
    for (const [index, region] of regions.entries()) {
      const target = { output: input, offset: index * size, width, height }
      if (region.turn === 0) preprocess(frame, region.region, target)
      else preprocessTurned(frame, placeOf(region), target)
    }
    const raw = await networks.detect({ input, count: regions.length, width, height })
    const found = regions.flatMap((region, batchIndex) => {
      const place = placeOf(region)
      const faces = decodeFaces(raw, anchors(width, height), { batchIndex, minScore })
      return mergeOverlapping(faces, MAX_OVERLAP).map((face) => toFrameFace(face, place))
    })
    return regions.length === 1 ? found : keepBest(found, MAX_OVERLAP)
  }

  async function find(frame: Pixels, time: number): Promise<readonly TrackedFace[]> {
    foundAt = time
    const whole = wholeFrame(frame.width, frame.height)
    const found = await search(frame, [whole], MIN_SCORE_PERHAPS)
    const unclear = chooseCloser(found, whole.region.width / whole.inputWidth)
    return tracker.update(sharpen(found, await search(frame, unclear.map(aroundFace), MIN_SCORE_FOLLOW)), time)
  }

  async function locate(frame: Pixels, time: number): Promise<{ faces: readonly TrackedFace[]; kind: 'find' | 'follow' }> {
    const known = tracker.current
    const mustFind = known.length === 0 || known.length > maxFollowed || tracker.hasLost() || time - foundAt >= findEveryMs
    if (mustFind) return { faces: await find(frame, time), kind: 'find' }
    const followed = await search(frame, known.map(aroundFace), MIN_SCORE_FOLLOW)
    const faces = tracker.update(followed, time)
    // A face that slipped out of its square may still be in the picture.
    return tracker.hasLost() ? { faces: await find(frame, time), kind: 'find' } : { faces, kind: 'follow' }
  }

  /** Where sharpness is measured: on the network's own crop when it is one of that kind. */
  function readQuality(frame: Pixels, face: TrackedFace, crop: Float32Array): FaceQuality {
    if (isOwnQualityCrop) {
      const target = { ...GRAY_CROP, output: qualityCrop, offset: 0 }
      sampleCrop(frame, alignFace(face.keypoints, qualityEyes), target)
    }
    return judge({ keypoints: face.keypoints, width: face.box.width, crop: isOwnQualityCrop ? qualityCrop : crop })
  }

  async function classify(frame: Pixels, faces: readonly TrackedFace[]): Promise<readonly FaceClasses[]> {
    if (faces.length === 0) return []
    const qualities = faces.map((face, index) => {
      const offset = index * cropValues
      const crop: Similarity = alignFace(face.keypoints, eyes)
      sampleCrop(frame, crop, { ...input, output: crops, offset })
      return readQuality(frame, face, crops.subarray(offset, offset + cropValues))
    })
    const batch = crops.subarray(0, faces.length * cropValues)
    const answers = await networks.classify({ input: batch, count: faces.length, dims: inputDims(input, faces.length) })
    return qualities.map((quality, index) => ({ quality, probabilities: toProbabilities(answers, index, manifest) }))
  }

  function smoothAll(faces: readonly TrackedFace[], classes: readonly FaceClasses[], time: number): void {
    const next: typeof smoothed = new Map()
    for (const [index, { id }] of faces.entries()) {
      const before = smoothed.get(id) ?? null
      const step = { elapsedMs: before === null ? 0 : time - before.time, timeConstantMs: smoothingMs }
      const values = classes[index]?.probabilities ?? []
      next.set(id, { probabilities: smooth(smoothingMs > 0 ? (before?.probabilities ?? null) : null, values, step), time })
    }
    smoothed = next
  }

  function toReading(face: TrackedFace, frame: Pixels, { quality, fault }: FaceQuality): ReadFace {
    const probabilities = smoothed.get(face.id)?.probabilities ?? []
    const confidence = Math.max(...probabilities)
    const emotion = EMOTIONS[probabilities.indexOf(confidence)] ?? 'neutral'
    return {
      ...toLocated(face, frame),
      emotion,
      confidence,
      isCertain: fault === null && confidence >= manifest.calibration.abstainBelow,
      quality,
      ...(fault === null ? {} : { unsureBecause: fault }),
      probabilities,
    }
  }

  /** Time never goes back: a step back counts as none. */
  function toMoment(time: number): number {
    latest = Math.max(latest, time)
    return latest
  }

  return {
    async locate(frame, time) {
      const { faces } = await locate(frame, toMoment(time))
      return faces.map((face) => toLocated(face, frame))
    },
    async analyse(frame, time) {
      const moment = toMoment(time)
      const startedAt = now()
      const { faces, kind } = await locate(frame, moment)
      const detectedAt = now()
      const classes = await classify(frame, faces)
      smoothAll(faces, classes, moment)
      const readings = faces.map((face, index) => toReading(face, frame, classes[index]?.quality ?? UNSEEN))
      return { faces: readings, search: kind, detectMs: detectedAt - startedAt, classifyMs: now() - detectedAt }
    },
    reset() {
      tracker.reset()
      smoothed = new Map()
      foundAt = Number.NEGATIVE_INFINITY
      latest = 0
    },
  }
}

function toLocated({ id, box, score }: TrackedFace, frame: Pixels): LocatedFace {
  const inFrame = { x: box.x / frame.width, y: box.y / frame.height, width: box.width / frame.width, height: box.height / frame.height }
  return { id, box: inFrame, score }
}

function cropEyes({ crop }: ModelManifest, size: number): EyePair {
  const [leftX, leftY] = crop.leftEye
  const [rightX, rightY] = crop.rightEye
  return {
    leftEye: { x: leftX * size, y: leftY * size },
    rightEye: { x: rightX * size, y: rightY * size },
  }
}
