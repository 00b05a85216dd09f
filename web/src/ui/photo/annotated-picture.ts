/** Draws a photo with its faces into a PNG of its own size. What stands on it comes from the page, in its language. */
import type { Box } from '#shared/protocol/emotion'

export interface DrawnFace {
  /** Fractions of the picture. */
  readonly box: Box
  readonly label: string
  /** Any CSS colour. */
  readonly colour: string
  /** Dotted where the reading is not certain. */
  readonly isCertain: boolean
}

/** Longest side in pixels: what a canvas carries on every tablet. */
const LONGEST_SIDE = 4096
/** Of the shorter side of the picture. */
const LINE_FRACTION = 0.005
const TEXT_FRACTION = 0.03

/** @returns undefined where the picture cannot be drawn any more. */
export async function drawAnnotated(file: Blob, faces: readonly DrawnFace[], fontFamily: string): Promise<Blob | undefined> {
  const picture = await createImageBitmap(file, { imageOrientation: 'from-image' }).catch(() => undefined)
  if (picture === undefined) return undefined
  const scale = Math.min(1, LONGEST_SIDE / Math.max(picture.width, picture.height))
  const canvas = document.createElement('canvas')
  canvas.width = Math.round(picture.width * scale)
  canvas.height = Math.round(picture.height * scale)
  const context = canvas.getContext('2d')
  context?.drawImage(picture, 0, 0, canvas.width, canvas.height)
  picture.close()
  if (context === null) return undefined
  for (const face of faces) drawFace(context, face, fontFamily)
  return await new Promise((resolve) => canvas.toBlob((blob) => resolve(blob ?? undefined), 'image/png'))
}

function drawFace(context: CanvasRenderingContext2D, { box, label, colour, isCertain }: DrawnFace, fontFamily: string): void {
  const { width, height } = context.canvas
  const shorter = Math.min(width, height)
  const line = Math.max(2, shorter * LINE_FRACTION)
  const place = { x: box.x * width, y: box.y * height, width: box.width * width, height: box.height * height }
  for (const [style, lineWidth] of [
    ['rgb(8 14 15 / 55%)', 2 * line],
    [colour, line],
  ] as const) {
    context.strokeStyle = style
    context.lineWidth = lineWidth
    context.setLineDash(isCertain ? [] : [line, 2 * line])
    context.beginPath()
    context.roundRect(place.x, place.y, place.width, place.height, 3 * line)
    context.stroke()
  }
  const size = Math.max(12, shorter * TEXT_FRACTION)
  context.font = `600 ${size}px ${fontFamily}`
  context.textAlign = 'center'
  context.textBaseline = 'middle'
  const plate = { width: Math.min(width, context.measureText(label).width + 1.4 * size), height: 1.8 * size }
  const x = Math.max(0, Math.min(place.x + place.width / 2 - plate.width / 2, width - plate.width))
  const above = place.y - plate.height - 2 * line
  const y = above >= 0 ? above : Math.min(height - plate.height, place.y + place.height + 2 * line)
  context.fillStyle = 'rgb(8 14 15 / 78%)'
  context.beginPath()
  context.roundRect(x, y, plate.width, plate.height, plate.height / 2)
  context.fill()
  context.fillStyle = '#f7f5ef'
  context.fillText(label, x + plate.width / 2, y + plate.height / 2, plate.width)
}
