/**
 * What the way from a camera frame to a crop costs: the whole pipeline of the page on labelled faces in made-up scenes, against the same
 * network on the same faces as bare crops. The work behind `npm run model:robustness`, without files written or words said.
 */
import { createSeededRandom } from '#shared/testing/seeded-random'
import { EMOTIONS } from '#shared/model/emotions'
import { createFacePipeline, type FaceNetworks } from '#shared/vision/face-pipeline'
import type { Pixels } from '#shared/vision/geometry'
import type { ModelManifest } from '#shared/vision/model-manifest'
import { topOf } from './classification-figures.ts'
import type { LabelledFace } from './labelled-faces.ts'
import { makeScene, PLAIN_SCENE, type SceneWish } from './make-scene.ts'

export interface Condition {
  readonly name: string
  readonly scene: SceneWish
}

/** Accuracies are of the faces that the detector found. */
export interface ConditionResult {
  readonly name: string
  readonly faces: number
  readonly found: number
  /** The bare crops of the faces that were found. */
  readonly bareAccuracy: number
  /** The frame in which the face is found. */
  readonly firstFrameAccuracy: number
  /** The frame after that, as most frames are. */
  readonly accuracy: number
  /** `bareAccuracy` - `accuracy`, in points of a percent. */
  readonly gapPoints: number
  /** Of what is found: shown as certain, and how many of those are right. */
  readonly certainShare: number
  readonly certainPrecision: number | null
  /** Of what is found: marked as too small, blurred or turned. */
  readonly unreadableShare: number
}

export const CONDITIONS: readonly Condition[] = [
  ...[48, 64, 96, 160].map((faceSize) => condition(`${faceSize} px`, { faceSize })),
  ...[-30, -20, -10, 10, 20, 30].map((degrees) => condition(`96 px, turned ${degrees}°`, { degrees })),
  ...[0.5, 0.25, 0.1].map((light) => condition(`96 px, light ${light}`, { light })),
  ...[75, 50, 30].map((jpegQuality) => condition(`96 px, JPEG ${jpegQuality}`, { jpegQuality })),
  condition('64 px, turned 20°, light 0.5, JPEG 50', { faceSize: 64, degrees: 20, light: 0.5, jpegQuality: 50 }),
]

const FRAME_MS = 33

export interface RobustnessRequest {
  readonly networks: FaceNetworks
  readonly manifest: ModelManifest
  /** Reads a whole picture as one crop. */
  readonly classifyBare: (picture: Pixels) => Promise<readonly number[]>
  readonly faces: readonly LabelledFace[]
}

export async function measureCondition({ name, scene }: Condition, request: RobustnessRequest): Promise<ConditionResult> {
  const { networks, manifest, classifyBare, faces } = request
  const pipeline = createFacePipeline({ networks, manifest, maxFaces: 1, smoothingMs: 0, now: () => 0 })
  const sums = { found: 0, bare: 0, first: 0, next: 0, certain: 0, certainRight: 0, unreadable: 0 }
  for (const [index, face] of faces.entries()) {
    const picture = await face.readPixels()
    const frame = await makeScene(picture, scene, createSeededRandom(index + 1).fraction)
    pipeline.reset()
    const first = (await pipeline.analyse(frame, 0)).faces[0]
    const next = (await pipeline.analyse(frame, FRAME_MS)).faces[0]
    if (first === undefined || next === undefined) continue
    const wanted = face.label === null ? undefined : EMOTIONS[face.label]
    const isRight = next.emotion === wanted
    sums.found += 1
    sums.bare += topOf(await classifyBare(picture)) === face.label ? 1 : 0
    sums.first += first.emotion === wanted ? 1 : 0
    sums.next += isRight ? 1 : 0
    sums.certain += next.isCertain ? 1 : 0
    sums.certainRight += next.isCertain && isRight ? 1 : 0
    sums.unreadable += next.unsureBecause === undefined ? 0 : 1
  }
  const share = (count: number): number => (sums.found === 0 ? 0 : count / sums.found)
  return {
    name,
    faces: faces.length,
    found: sums.found,
    bareAccuracy: share(sums.bare),
    firstFrameAccuracy: share(sums.first),
    accuracy: share(sums.next),
    gapPoints: (share(sums.bare) - share(sums.next)) * 100,
    certainShare: share(sums.certain),
    certainPrecision: sums.certain === 0 ? null : sums.certainRight / sums.certain,
    unreadableShare: share(sums.unreadable),
  }
}

function condition(name: string, change: Partial<SceneWish>): Condition {
  return { name, scene: { ...PLAIN_SCENE, ...change } }
}
