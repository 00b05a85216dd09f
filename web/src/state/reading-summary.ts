/** What one frame amounts to in words: nobody, something unclear, or an emotion. */
import type { EmotionName } from '#shared/model/emotions'

export type ReadingSummary =
  | { readonly kind: 'none' }
  /** The network abstains; `leaning` is what it would say. */
  | { readonly kind: 'unsure'; readonly leaning: EmotionName; readonly confidence: number }
  | { readonly kind: 'emotion'; readonly emotion: EmotionName; readonly confidence: number }

interface SummarisedFace {
  readonly emotion: EmotionName
  readonly confidence: number
  readonly isCertain: boolean
}

export function summariseFace(face: SummarisedFace): ReadingSummary {
  const { emotion, confidence, isCertain } = face
  return isCertain ? { kind: 'emotion', emotion, confidence } : { kind: 'unsure', leaning: emotion, confidence }
}

/** The largest face speaks for the frame. @param faces largest first. */
export function summarise(faces: readonly SummarisedFace[]): ReadingSummary {
  const nearest = faces[0]
  return nearest === undefined ? { kind: 'none' } : summariseFace(nearest)
}

/** Equal for two frames that say the same in words: the leading emotion, or that it is unclear, and how many faces. */
export function summaryKey(faces: readonly SummarisedFace[]): string {
  const summary = summarise(faces)
  return `${faces.length}:${summary.kind === 'emotion' ? summary.emotion : summary.kind}`
}
