/** Words and line styles of emotions, so that pages agree on them. Colours are tokens (theme/tokens.css). */
import type { EmotionName } from '#shared/model/emotions'
import { m } from '../paraglide/messages.js'
import type { ReadingSummary } from '../state/reading-summary.ts'

/** In the page's language; reactive where it is called in markup or `$derived`. */
export function emotionWord(emotion: EmotionName): string {
  switch (emotion) {
    case 'neutral':
      return m.emotion_neutral()
    case 'happiness':
      return m.emotion_happiness()
    case 'surprise':
      return m.emotion_surprise()
    case 'sadness':
      return m.emotion_sadness()
    case 'anger':
      return m.emotion_anger()
    case 'disgust':
      return m.emotion_disgust()
    case 'fear':
      return m.emotion_fear()
    case 'contempt':
      return m.emotion_contempt()
  }
}

export function summaryWord(summary: ReadingSummary): string {
  switch (summary.kind) {
    case 'none':
      return m.reading_none()
    case 'unsure':
      return m.reading_unsure()
    case 'emotion':
      return emotionWord(summary.emotion)
  }
}

/** As in `data-emotion`: the emotion, `unsure` or `none`. */
export function summaryMark(summary: ReadingSummary): EmotionName | 'unsure' | 'none' {
  return summary.kind === 'emotion' ? summary.emotion : summary.kind
}

/** Pixels on and off: lines differ without their colour. */
export const EMOTION_DASHES: Readonly<Record<EmotionName, readonly number[]>> = {
  neutral: [2, 5],
  happiness: [],
  surprise: [14, 5],
  sadness: [7, 5],
  anger: [16, 4, 3, 4],
  disgust: [8, 4, 2, 4],
  fear: [4, 3],
  contempt: [11, 7],
}
