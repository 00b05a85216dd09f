/** How large a frame is read: the same on the tablet and on the relay, so that both see the same. Scaling is left to who has the picture. */

/** Larger frames are scaled down to this: a face that fills a crop of 48 pixels gains nothing from more. */
const LONGEST_SIDE = 640

export interface FrameSize {
  readonly width: number
  readonly height: number
}

/** Never larger than the frame, in its shape, at least one pixel each way. */
export function shrinkFrame({ width, height }: FrameSize): FrameSize {
  const scale = Math.min(1, LONGEST_SIDE / Math.max(width, height))
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) }
}
