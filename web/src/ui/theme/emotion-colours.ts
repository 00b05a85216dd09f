/** The emotion colours as plain strings, for canvases, which know no custom properties. */
import type { EmotionName } from '#shared/model/emotions'

export type EmotionColours = Readonly<Record<EmotionName, string>>

/** Reads them as they are inside `host`: its colour scheme decides. Costs a layout; read again when the theme changes. */
export function readEmotionColours(host: HTMLElement): EmotionColours {
  const probe = document.createElement('span')
  probe.className = 'emotion-colour-probe'
  probe.hidden = true
  host.append(probe)
  const read = (emotion: EmotionName): string => {
    probe.dataset['emotion'] = emotion
    return getComputedStyle(probe).color
  }
  const colours = {
    neutral: read('neutral'),
    happiness: read('happiness'),
    surprise: read('surprise'),
    sadness: read('sadness'),
    anger: read('anger'),
    disgust: read('disgust'),
    fear: read('fear'),
    contempt: read('contempt'),
  }
  probe.remove()
  return colours
}
