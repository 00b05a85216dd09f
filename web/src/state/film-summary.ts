/** What the pictures of a film amount to: how much of it showed what, and one line per emotion. The largest face speaks for a picture. */
import { EMOTIONS, type EmotionName } from '#shared/model/emotions'
import type { FaceAnalysis } from './readings-state.svelte.ts'
import { summarise } from './reading-summary.ts'

/** One picture of a film; of a photo the only one. */
export interface PictureSample {
  /** From the start of the film; 0 for a photo. */
  readonly seconds: number
  /** Largest first. */
  readonly faces: readonly FaceAnalysis[]
}

export interface FilmShare {
  readonly mark: EmotionName | 'unsure' | 'none'
  /** Of the pictures, 0 to 1; above 0. */
  readonly share: number
}

/** The largest share first; together 1. Empty without samples. */
export function summariseFilm(samples: readonly PictureSample[]): readonly FilmShare[] {
  const counts = new Map<FilmShare['mark'], number>()
  for (const { faces } of samples) {
    const summary = summarise(faces)
    const mark = summary.kind === 'emotion' ? summary.emotion : summary.kind
    counts.set(mark, (counts.get(mark) ?? 0) + 1)
  }
  return [...counts].map(([mark, count]) => ({ mark, share: count / samples.length })).sort((a, b) => b.share - a.share)
}

export interface FilmLine {
  readonly emotion: EmotionName
  /** Highest probability, 0 to 1. */
  readonly peak: number
  /** Unbroken stretches of points; a gap is where nobody was in view. Seconds and probability. */
  readonly stretches: readonly (readonly (readonly [number, number])[])[]
}

/** One line per emotion, in the order of `EMOTIONS`. */
export function toFilmLines(samples: readonly PictureSample[]): readonly FilmLine[] {
  return EMOTIONS.map((emotion, index) => {
    const stretches: [number, number][][] = []
    let open: [number, number][] | undefined
    let peak = 0
    for (const { seconds, faces } of samples) {
      const probability = faces[0]?.probabilities[index]
      if (probability === undefined) {
        open = undefined
        continue
      }
      if (open === undefined) {
        open = []
        stretches.push(open)
      }
      open.push([seconds, probability])
      peak = Math.max(peak, probability)
    }
    return { emotion, peak, stretches }
  })
}

/** The sample that was current at that moment; undefined before the first. @param samples oldest first. */
export function sampleAt(samples: readonly PictureSample[], seconds: number): PictureSample | undefined {
  return samples.findLast((sample) => sample.seconds <= seconds)
}
