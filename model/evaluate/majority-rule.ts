/** Which class ten taggers agreed on (FER+, Barsoum et al. 2016, arXiv:1608.01041): the labels that published figures are measured on. */

/** The emotions first, in the order of `EMOTIONS`. */
export const VOTE_COLUMNS = [
  'neutral',
  'happiness',
  'surprise',
  'sadness',
  'anger',
  'disgust',
  'fear',
  'contempt',
  'unknown',
  'no_face',
] as const

const EMOTION_COUNT = 8

/**
 * Single votes are dropped as outliers; the top class counts when it has more than half of the rest.
 *
 * @param votes ten counts in the order of `VOTE_COLUMNS`.
 * @returns an index into `EMOTIONS`, or null where the rule leaves the image out: no majority, unknown, or no face.
 */
export function majorityLabel(votes: readonly number[]): number | null {
  const kept = votes.map((count) => (count > 1 ? count : 0))
  const most = Math.max(...kept)
  const total = kept.reduce((sum, count) => sum + count, 0)
  const top = kept.indexOf(most)
  return most * 2 > total && top < EMOTION_COUNT ? top : null
}
