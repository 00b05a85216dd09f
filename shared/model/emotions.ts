/** The eight classes of FER+ (Barsoum et al. 2016), in the order of the label file. */
export const EMOTIONS = ['neutral', 'happiness', 'surprise', 'sadness', 'anger', 'disgust', 'fear', 'contempt'] as const

export type EmotionName = (typeof EMOTIONS)[number]
