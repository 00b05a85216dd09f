/**
 * The pixels of a camera frame. The browser converts colours and, for large frames, scales; everything else is `shared/vision`.
 */
import { type FrameSize, shrinkFrame } from '#shared/vision/frame-size'
import type { Pixels } from '#shared/vision/geometry'

export interface PixelGrabber {
  /** Takes the frame over and closes it. The result is valid until the next call. */
  grab(frame: ImageBitmap | VideoFrame): Promise<Pixels>
}

export function createPixelGrabber(): PixelGrabber {
  let canvas: OffscreenCanvas | null = null
  let context: OffscreenCanvasRenderingContext2D | null = null
  let memory = new Uint8Array(0)
  let canCopy = true

  function draw(frame: ImageBitmap | VideoFrame, size: FrameSize): Pixels {
    if (canvas === null || context === null || canvas.width !== size.width || canvas.height !== size.height) {
      canvas = new OffscreenCanvas(size.width, size.height)
      context = canvas.getContext('2d', { willReadFrequently: true, alpha: false })
      if (context === null) throw new Error('this browser gives no canvas in a worker')
      context.imageSmoothingQuality = 'medium'
    }
    context.drawImage(frame, 0, 0, size.width, size.height)
    return { ...size, data: context.getImageData(0, 0, size.width, size.height).data }
  }

  /** Straight from the decoder into our memory; not every browser and pixel format allows it. */
  async function copy(frame: VideoFrame, { width, height }: FrameSize): Promise<Pixels> {
    const length = width * height * 4
    if (memory.length !== length) memory = new Uint8Array(length)
    await frame.copyTo(memory, { format: 'RGBA', colorSpace: 'srgb' })
    return { width, height, data: memory }
  }

  return {
    async grab(frame) {
      try {
        const full = sizeOf(frame)
        const size = shrinkFrame(full)
        if (canCopy && isVideoFrame(frame) && isUntouched(frame) && size.width === full.width) {
          try {
            return await copy(frame, size)
          } catch {
            canCopy = false
          }
        }
        return draw(frame, size)
      } finally {
        frame.close()
      }
    },
  }
}

function isVideoFrame(frame: ImageBitmap | VideoFrame): frame is VideoFrame {
  return 'displayWidth' in frame
}

function sizeOf(frame: ImageBitmap | VideoFrame): FrameSize {
  return isVideoFrame(frame) ? { width: frame.displayWidth, height: frame.displayHeight } : { width: frame.width, height: frame.height }
}

/** Neither cropped nor stretched nor turned: what is copied is what is shown. */
function isUntouched(frame: VideoFrame): boolean {
  const { visibleRect, displayWidth, displayHeight } = frame
  const rotation: unknown = Reflect.get(frame, 'rotation')
  return visibleRect?.width === displayWidth && visibleRect.height === displayHeight && (rotation === undefined || rotation === 0)
}
