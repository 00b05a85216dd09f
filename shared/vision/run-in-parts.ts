/** Runs a network that takes a fixed number of faces (most published ones take one) on as many as there are. */
import type { ClassifierBatch } from './face-pipeline.ts'

/**
 * @param facesAtOnce from `checkNetworkShape`; null gives the whole batch at once.
 * @param run the network, on one part; what it returns may be overwritten by its next call. One call at a time.
 * @returns the answers of all parts after each other. What fills up the last part is left out.
 */
export async function runInParts(
  { input, count, dims }: ClassifierBatch,
  facesAtOnce: number | null,
  run: (input: Float32Array, dims: readonly number[]) => Promise<Float32Array>,
): Promise<Float32Array> {
  if (facesAtOnce === null || count === 0) return run(input, dims)
  const length = (input.length / count) * facesAtOnce
  const partDims = [facesAtOnce, ...dims.slice(1)]
  const answers: number[] = []
  let perFace = 0
  for (let start = 0; start < input.length; start += length) {
    const part = new Float32Array(length)
    part.set(input.subarray(start, start + length))
    const answer = await run(part, partDims)
    perFace = answer.length / facesAtOnce
    answers.push(...answer)
  }
  return Float32Array.from(answers.slice(0, perFace * count))
}
