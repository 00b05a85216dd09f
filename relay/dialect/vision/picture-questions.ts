/** What is asked of the service `vision` so that VisionAI's promise holds: every picture gets one answer, in order, face or none. */
import type { PictureReply, VisionPrediction } from './service-reply.ts'

export const VISION_SERVICE = 'vision'
/** The original knew no deadline; the bus knows none longer. Milliseconds. */
export const PREDICT_DEADLINE_MS = 30_000

/** Every face of the picture; older pictures are not skipped for newer ones. */
export const FIND_FACES = { keep: true, faces: 'all' } as const
/** VisionAI looks for no face: a picture without one is read as a face itself. */
export const WHOLE_PICTURE = { keep: true, crop: true } as const

/** @returns undefined where nothing was found: ask for the whole picture. */
export function toPrediction(found: PictureReply): VisionPrediction | undefined {
  const [largest] = found.faces
  return largest === undefined ? undefined : { ...found, reading: largest.reading }
}

/** @returns undefined where the service read nothing at all. */
export function toWholePrediction(whole: PictureReply): VisionPrediction | undefined {
  const [only] = whole.faces
  return only === undefined ? undefined : { ...whole, reading: only.reading, faces: [] }
}
