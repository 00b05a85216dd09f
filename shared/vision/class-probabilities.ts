/** What an emotion network answers, in whichever classes and form, as calibrated probabilities in the order of `EMOTIONS`. */
import { EMOTIONS } from '#shared/model/emotions'
import type { ModelManifest } from './model-manifest.ts'
import { softmax } from './softmax.ts'

/** Below this a probability is rounding; its logarithm still counts. */
const LEAST = 1e-12

/**
 * @param answers rows of `manifest.classes.length` numbers.
 * @param row which face.
 * @returns values that sum to 1; 0 for a class the network does not know.
 */
export function toProbabilities(answers: Float32Array, row: number, manifest: ModelManifest): readonly number[] {
  const { classes, output, calibration } = manifest
  const count = classes.length
  const own = answers.subarray(row * count, (row + 1) * count)
  // The logarithms of probabilities are logits, so that a temperature means the same for both.
  const logits = output.kind === 'logits' ? own : own.map((value) => Math.log(Math.max(value, LEAST)))
  const values = softmax(logits, { offset: 0, count, temperature: calibration.temperature })
  return EMOTIONS.map((name) => values[classes.indexOf(name)] ?? 0)
}
