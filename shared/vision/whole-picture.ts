/**
 * Reads a whole picture as one face, for crops so tight that no detector finds the face in them. Eyes and mouth are taken to be where the
 * network wants them, so what it says is a guess: whoever shows it calls it unsure.
 */
import { EMOTIONS, type EmotionName } from '#shared/model/emotions'
import { alignFace, mouthOf } from './align-face.ts'
import { toProbabilities } from './class-probabilities.ts'
import type { FaceNetworks } from './face-pipeline.ts'
import type { Pixels } from './geometry.ts'
import type { ModelManifest } from './model-manifest.ts'
import { inputDims, valuesPerFace } from './network-shape.ts'
import { sampleCrop } from './sample-crop.ts'

export interface WholePicture {
  readonly emotion: EmotionName
  readonly confidence: number
  /** In the order of `EMOTIONS`. */
  readonly probabilities: readonly number[]
}

/** @param frame its middle square is read. */
export async function readWholePicture(
  frame: Pixels,
  { networks, manifest }: { readonly networks: Pick<FaceNetworks, 'classify'>; readonly manifest: ModelManifest },
): Promise<WholePicture> {
  const { input, crop } = manifest
  const side = Math.min(frame.width, frame.height)
  const left = (frame.width - side) / 2
  const top = (frame.height - side) / 2
  const eyes = {
    leftEye: { x: left + crop.leftEye[0] * side, y: top + crop.leftEye[1] * side },
    rightEye: { x: left + crop.rightEye[0] * side, y: top + crop.rightEye[1] * side },
  }
  const wanted = {
    leftEye: { x: crop.leftEye[0] * input.size, y: crop.leftEye[1] * input.size },
    rightEye: { x: crop.rightEye[0] * input.size, y: crop.rightEye[1] * input.size },
  }
  const values = new Float32Array(valuesPerFace(input))
  sampleCrop(frame, alignFace({ ...eyes, mouth: mouthOf(eyes) }, wanted), { ...input, output: values, offset: 0 })
  const answers = await networks.classify({ input: values, count: 1, dims: inputDims(input, 1) })
  const probabilities = toProbabilities(answers, 0, manifest)
  const confidence = Math.max(...probabilities)
  return { emotion: EMOTIONS[probabilities.indexOf(confidence)] ?? 'neutral', confidence, probabilities }
}
