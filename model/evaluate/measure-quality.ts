/**
 * What the quality of a face says about how often it is read wrongly: labelled faces in scenes of all sizes, some out of focus, read
 * whatever their quality. What `shared/vision/quality.ts` refuses is chosen from this; the work behind the second table of
 * `npm run model:robustness`.
 */
import sharp from 'sharp'
import { EMOTIONS } from '#shared/model/emotions'
import { createSeededRandom } from '#shared/testing/seeded-random'
import { createFacePipeline } from '#shared/vision/face-pipeline'
import type { Pixels } from '#shared/vision/geometry'
import { type FaceQuality, type JudgedFace, judgeFace, sharpnessOf, turnOf, type UnsureReason } from '#shared/vision/quality'
import { makeScene, PLAIN_SCENE } from './make-scene.ts'
import type { RobustnessRequest } from './measure-robustness.ts'

/** One face that was found, as the pipeline saw it. */
export interface QualitySample {
  /** Frame pixels. */
  readonly width: number
  readonly turn: number
  readonly sharpness: number
  readonly fault: UnsureReason | null
  readonly isRight: boolean
}

/** Frame pixels the whole image is wide; evenly spread in their logarithm. */
const SIZES = { smallest: 24, largest: 128 } as const
/** Every second face is out of focus, by up to this many pixels of its 48 (standard deviation). */
const MOST_BLUR = 3
const READ_ANYWAY: FaceQuality = { quality: 1, fault: null }

export async function measureQuality({ networks, manifest, faces }: Omit<RobustnessRequest, 'classifyBare'>): Promise<readonly QualitySample[]> {
  const judged: JudgedFace[] = []
  const judge = (face: JudgedFace): FaceQuality => {
    judged.push({ ...face, crop: Float32Array.from(face.crop) })
    return READ_ANYWAY
  }
  const pipeline = createFacePipeline({ networks, manifest, maxFaces: 1, smoothingMs: 0, now: () => 0, judge })
  const samples: QualitySample[] = []
  for (const [index, face] of faces.entries()) {
    const { fraction } = createSeededRandom(index + 1)
    const faceSize = SIZES.smallest * (SIZES.largest / SIZES.smallest) ** fraction()
    const sigma = index % 2 === 0 ? 0 : MOST_BLUR * fraction()
    const frame = await makeScene(await blur(await face.readPixels(), sigma), { ...PLAIN_SCENE, faceSize }, fraction)
    pipeline.reset()
    judged.length = 0
    const [found] = (await pipeline.analyse(frame, 0)).faces
    const [seen] = judged
    if (found === undefined || seen === undefined) continue
    samples.push({
      width: seen.width,
      turn: turnOf(seen.keypoints),
      sharpness: sharpnessOf(seen.crop),
      fault: judgeFace(seen).fault,
      isRight: face.label !== null && found.emotion === EMOTIONS[face.label],
    })
  }
  return samples
}

/** Sharp takes a sigma from 0.3 on. */
async function blur(picture: Pixels, sigma: number): Promise<Pixels> {
  if (sigma < 0.3) return picture
  const { width, height } = picture
  const data = await sharp(picture.data, { raw: { width, height, channels: 4 } })
    .blur(sigma)
    .raw()
    .toBuffer()
  return { width, height, data: Uint8Array.from(data) }
}
