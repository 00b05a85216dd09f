/**
 * Draws boxes and names over the playing video, once per display refresh, gliding from one analysis to the next. It reads plain data
 * and touches no reactive state. What was read is left to the readings, where the video stands to `VideoStage.svelte`.
 */
import type { EmotionName } from '#shared/model/emotions'
import type { Box } from '#shared/protocol/emotion'
import type { FaceAnalysis, FrameAnalysis } from '../../state/readings-state.svelte.ts'
import type { EmotionColours } from '../theme/emotion-colours.ts'

export interface FaceOverlayOptions {
  readonly canvas: HTMLCanvasElement
  /** The analysis to draw now. */
  readonly newest: () => FrameAnalysis | undefined
  /** What stands above a box, in the page's language. */
  readonly toLabel: (face: FaceAnalysis) => string
  readonly colours: EmotionColours
  readonly isMirrored: boolean
  /** Where the reader asked for less motion boxes jump. */
  readonly isStill: boolean
}

/** A box on its way, in fractions of the frame. */
interface GlidingBox {
  x: number
  y: number
  width: number
  height: number
  /** 0 to 1. */
  opacity: number
  label: string
  emotion: EmotionName
  isCertain: boolean
}

/** After so long two thirds of the way are done. */
const GLIDE_MS = 60
const FADE_MS = 160
const LINE_PX = 3
const LABEL_FONT = '600 16px'
const LABEL_HEIGHT_PX = 32
const LABEL_PADDING_PX = 12
/** Of the frame: a box nearer than this to where it belongs is there. */
const SETTLED_FRACTION = 0.0005
/** Of the shorter side of a box, as the length of its corners. */
const CORNER_FRACTION = 0.24

/** Draws until the returned function is called. */
export function startFaceOverlay(options: FaceOverlayOptions): () => void {
  const context = options.canvas.getContext('2d')
  if (context === null) return () => {}
  const boxes = new Map<number, GlidingBox>()
  const font = `${LABEL_FONT} ${getComputedStyle(options.canvas).fontFamily}`
  let drawn: FrameAnalysis | undefined
  /** Nothing moves or fades any more: drawing again would give the same picture. */
  let isSettled = true
  let lastTime = performance.now()
  let handle = requestAnimationFrame(draw)

  function draw(time: number): void {
    handle = requestAnimationFrame(draw)
    const elapsedMs = Math.min(time - lastTime, 100)
    lastTime = time
    const analysis = options.newest()
    const faces = analysis?.faces ?? []
    const isNew = drawn !== analysis
    if (context === null || (!isNew && isSettled)) return
    drawn = analysis
    isSettled = true
    for (const face of faces) moveBox(face, elapsedMs, isNew)
    fadeGone(faces, elapsedMs)
    fitCanvas(options.canvas)
    context.clearRect(0, 0, options.canvas.width, options.canvas.height)
    const scale = devicePixelRatio
    for (const box of boxes.values()) drawBox({ context, box, options, font, scale })
  }

  function moveBox(face: FaceAnalysis, elapsedMs: number, isNew: boolean): void {
    const box = boxes.get(face.id)
    if (box === undefined) {
      const { emotion, isCertain } = face
      isSettled = false
      boxes.set(face.id, { ...face.box, opacity: 0, label: options.toLabel(face), emotion, isCertain })
      return
    }
    const step = options.isStill ? 1 : 1 - Math.exp(-elapsedMs / GLIDE_MS)
    box.x += (face.box.x - box.x) * step
    box.y += (face.box.y - box.y) * step
    box.width += (face.box.width - box.width) * step
    box.height += (face.box.height - box.height) * step
    box.opacity = Math.min(1, box.opacity + elapsedMs / FADE_MS)
    if (box.opacity < 1 || distance(box, face.box) > SETTLED_FRACTION) isSettled = false
    if (!isNew) return
    box.label = options.toLabel(face)
    box.emotion = face.emotion
    box.isCertain = face.isCertain
  }

  function fadeGone(faces: readonly FaceAnalysis[], elapsedMs: number): void {
    for (const [id, box] of boxes) {
      if (faces.some((face) => face.id === id)) continue
      isSettled = false
      box.opacity -= elapsedMs / FADE_MS
      if (box.opacity <= 0) boxes.delete(id)
    }
  }

  return () => {
    cancelAnimationFrame(handle)
    context.clearRect(0, 0, options.canvas.width, options.canvas.height)
  }
}

function distance(box: GlidingBox, goal: Box): number {
  return Math.max(Math.abs(goal.x - box.x), Math.abs(goal.y - box.y), Math.abs(goal.width - box.width), Math.abs(goal.height - box.height))
}

function fitCanvas(canvas: HTMLCanvasElement): void {
  const width = Math.round(canvas.clientWidth * devicePixelRatio)
  const height = Math.round(canvas.clientHeight * devicePixelRatio)
  if (canvas.width !== width) canvas.width = width
  if (canvas.height !== height) canvas.height = height
}

interface BoxDrawing {
  readonly context: CanvasRenderingContext2D
  readonly box: GlidingBox
  readonly options: FaceOverlayOptions
  readonly font: string
  readonly scale: number
}

function drawBox({ context, box, options, font, scale }: BoxDrawing): void {
  const { width: canvasWidth, height: canvasHeight } = context.canvas
  const width = box.width * canvasWidth
  const height = box.height * canvasHeight
  const x = (options.isMirrored ? 1 - box.x - box.width : box.x) * canvasWidth
  const y = box.y * canvasHeight
  context.save()
  context.globalAlpha = Math.max(0, Math.min(1, box.opacity))
  context.lineCap = 'round'
  context.lineJoin = 'round'
  const colour = box.isCertain ? options.colours[box.emotion] : '#f7f5ef'
  // A dark line below the bright one: visible on any picture.
  for (const [style, line] of [
    ['rgb(8 14 15 / 55%)', LINE_PX + 3],
    [colour, LINE_PX],
  ] as const) {
    context.strokeStyle = style
    context.lineWidth = line * scale
    context.setLineDash(box.isCertain ? [] : [2 * scale, 7 * scale])
    strokeCorners(context, { x, y, width, height })
  }
  drawLabel({ context, box, options, font, scale }, x, y)
  context.restore()
}

interface Rectangle {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

function strokeCorners(context: CanvasRenderingContext2D, { x, y, width, height }: Rectangle): void {
  const length = Math.min(width, height) * CORNER_FRACTION
  const radius = length * 0.6
  const [right, bottom] = [x + width, y + height]
  context.beginPath()
  context.moveTo(x, y + length)
  context.arcTo(x, y, x + length, y, radius)
  context.lineTo(x + length, y)
  context.moveTo(right - length, y)
  context.arcTo(right, y, right, y + length, radius)
  context.lineTo(right, y + length)
  context.moveTo(right, bottom - length)
  context.arcTo(right, bottom, right - length, bottom, radius)
  context.lineTo(right - length, bottom)
  context.moveTo(x + length, bottom)
  context.arcTo(x, bottom, x, bottom - length, radius)
  context.lineTo(x, bottom - length)
  context.stroke()
}

function drawLabel({ context, box, options, font, scale }: BoxDrawing, boxX: number, boxY: number): void {
  context.save()
  context.scale(scale, scale)
  context.font = font
  context.direction = document.dir === 'rtl' ? 'rtl' : 'ltr'
  context.textAlign = 'center'
  context.textBaseline = 'middle'
  context.setLineDash([])
  const labelWidth = context.measureText(box.label).width + LABEL_PADDING_PX * 2 + 14
  const [canvasWidth, boxWidth] = [context.canvas.width / scale, (box.width * context.canvas.width) / scale]
  const wantedX = boxX / scale + boxWidth / 2 - labelWidth / 2
  const x = Math.max(6, Math.min(wantedX, canvasWidth - labelWidth - 6))
  const y = Math.max(6, boxY / scale - LABEL_HEIGHT_PX - 10)
  context.fillStyle = 'rgb(8 14 15 / 78%)'
  context.beginPath()
  context.roundRect(x, y, labelWidth, LABEL_HEIGHT_PX, LABEL_HEIGHT_PX / 2)
  context.fill()
  const isRightToLeft = context.direction === 'rtl'
  context.fillStyle = box.isCertain ? options.colours[box.emotion] : '#f7f5ef'
  context.beginPath()
  const dotX = isRightToLeft ? x + labelWidth - LABEL_PADDING_PX - 3 : x + LABEL_PADDING_PX + 3
  context.arc(dotX, y + LABEL_HEIGHT_PX / 2, 5, 0, Math.PI * 2)
  context.fill()
  context.fillStyle = '#f7f5ef'
  context.fillText(box.label, x + labelWidth / 2 + (isRightToLeft ? -7 : 7), y + LABEL_HEIGHT_PX / 2 + 1)
  context.restore()
}
