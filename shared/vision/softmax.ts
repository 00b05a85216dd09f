/** Logits into calibrated probabilities (temperature scaling, Guo et al. 2017). */

/**
 * @param count how many logits from `offset` on.
 * @param temperature above 1 softens, below 1 sharpens; found on the validation images.
 * @returns values that sum to 1.
 */
export function softmax(
  logits: Float32Array,
  { offset, count, temperature }: { readonly offset: number; readonly count: number; readonly temperature: number },
): readonly number[] {
  const values = Array.from(logits.subarray(offset, offset + count), (logit) => logit / temperature)
  const largest = Math.max(...values)
  const powers = values.map((value) => Math.exp(value - largest))
  const total = powers.reduce((sum, power) => sum + power, 0)
  return powers.map((power) => power / total)
}
