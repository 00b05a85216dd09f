/** What is asked of the service `vision` so that VisionAI's promise holds: every picture gets one answer, in order, face or none. */

export const VISION_SERVICE = 'vision'

/** The original knew no deadline; the bus knows none longer. */
export const PREDICT_DEADLINE_MS = 30_000

/** Older pictures are not skipped for newer ones; VisionAI looked for no face, so a picture without one is read as a face itself. */
export const PREDICT_WISH = { keep: true, faces: 'all', crop: true } as const
