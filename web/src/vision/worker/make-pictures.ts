/**
 * Small JPEG pictures out of a frame, for a tablet too slow to read them itself: one of each face, or the whole frame where even finding
 * faces takes too long. Whether any may leave the tablet is decided elsewhere.
 */
import type { LocatedFace } from '#shared/vision/face-pipeline'
import type { Pixels, Rectangle } from '#shared/vision/geometry'
import type { FramePictures, PictureKind, SmallPicture } from '../vision-api.ts'
import { VisionError } from '../vision-error.ts'
import type { PixelGrabber } from './grab-pixels.ts'

/** No picture is larger, in bytes. */
const LARGEST_BYTES = 64 * 1024
/** Longest sides in pixels: enough for the detector, which sees 256, and for a face of 48. */
const FRAME_SIDE = 320
const FACE_SIDE = 192
/** How much around a face goes with it, in sides of its box: the relay's detector wants to see the head. */
const FACE_MARGIN = 0.5
/** Tried one after the other until a picture is small enough. */
const QUALITIES = [0.8, 0.5, 0.2] as const

export interface PictureSource {
  readonly grabber: PixelGrabber
  locate(frame: Pixels, time: number): Promise<readonly LocatedFace[]>
}

/** Takes the frame over and closes it. @throws VisionError where the browser makes no JPEG in a worker. */
export async function makePictures(frame: ImageBitmap | VideoFrame, time: number, { kind, source }: MakeOptions): Promise<FramePictures> {
  const startedAt = performance.now()
  const pixels = await source.grabber.grab(frame)
  const grabbedAt = performance.now()
  const faces = kind === 'faces' ? await source.locate(pixels, time) : []
  const foundAt = performance.now()
  const full = toCanvas(pixels)
  const pictures: SmallPicture[] = []
  if (kind === 'frame') pictures.push(await encode(full, WHOLE, { side: FRAME_SIDE }))
  for (const face of faces) pictures.push({ ...(await encode(full, around(face.box), { side: FACE_SIDE })), face })
  const stages = { grabMs: grabbedAt - startedAt, detectMs: foundAt - grabbedAt, encodeMs: performance.now() - foundAt }
  return { time, kind, pictures, stages }
}

interface MakeOptions {
  readonly kind: PictureKind
  readonly source: PictureSource
}

const WHOLE: Rectangle = { x: 0, y: 0, width: 1, height: 1 }

/** The face with its margin, cut where the frame ends. */
function around({ x, y, width, height }: Rectangle): Rectangle {
  const [left, top] = [Math.max(0, x - FACE_MARGIN * width), Math.max(0, y - FACE_MARGIN * height)]
  const [right, bottom] = [Math.min(1, x + (1 + FACE_MARGIN) * width), Math.min(1, y + (1 + FACE_MARGIN) * height)]
  return { x: left, y: top, width: Math.max(0, right - left), height: Math.max(0, bottom - top) }
}

function toCanvas({ width, height, data }: Pixels): OffscreenCanvas {
  const canvas = new OffscreenCanvas(width, height)
  open2d(canvas).putImageData(new ImageData(new Uint8ClampedArray(data), width, height), 0, 0)
  return canvas
}

async function encode(full: OffscreenCanvas, region: Rectangle, { side }: { readonly side: number }): Promise<SmallPicture> {
  const from = { width: Math.max(1, region.width * full.width), height: Math.max(1, region.height * full.height) }
  const scale = Math.min(1, side / Math.max(from.width, from.height))
  const [width, height] = [Math.max(1, Math.round(from.width * scale)), Math.max(1, Math.round(from.height * scale))]
  const canvas = new OffscreenCanvas(width, height)
  const context = open2d(canvas)
  context.imageSmoothingQuality = 'medium'
  context.drawImage(full, region.x * full.width, region.y * full.height, from.width, from.height, 0, 0, width, height)
  for (const quality of QUALITIES) {
    const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality })
    if (blob.size <= LARGEST_BYTES) return { region, jpeg: new Uint8Array(await blob.arrayBuffer()) }
  }
  throw new VisionError('runtime-failed', 'a small picture has more bytes than may be sent')
}

function open2d(canvas: OffscreenCanvas): OffscreenCanvasRenderingContext2D {
  const context = canvas.getContext('2d', { alpha: false })
  if (context === null) throw new VisionError('runtime-failed', 'this browser gives no canvas in a worker')
  return context
}
