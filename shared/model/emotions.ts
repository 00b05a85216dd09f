/** The eight classes of FER+ (Barsoum et al. 2016), in the order of the label file. */
export const EMOTIONS = ['neutral', 'happiness', 'surprise', 'sadness', 'anger', 'disgust', 'fear', 'contempt'] as const

export type EmotionName = (typeof EMOTIONS)[number]

/** One value per class, by name. @param read gives the value for a place in {@link EMOTIONS}. */
export function byEmotion<Value>(read: (index: number) => Value): Readonly<Record<EmotionName, Value>> {
  const of = (name: EmotionName): Value => read(EMOTIONS.indexOf(name))
  return {
    neutral: of('neutral'),
    happiness: of('happiness'),
    surprise: of('surprise'),
    sadness: of('sadness'),
    anger: of('anger'),
    disgust: of('disgust'),
    fear: of('fear'),
    contempt: of('contempt'),
  }
}
