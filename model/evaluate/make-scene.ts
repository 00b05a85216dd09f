/**
 * A camera picture with one labelled face in it: the face of a data set, enlarged and turned, in front of a soft background made of its
 * own gray values, in bad light and through JPEG if wanted. For measuring what the way from a frame to a crop costs.
 */
import sharp from 'sharp'
import type { Pixels } from '#shared/vision/geometry'

export interface SceneWish {
  /** Frame pixels the whole image of the data set is wide. */
  readonly faceSize: number
  /** Clockwise. */
  readonly degrees: number
  /** 1 leaves it; 0.25 is a quarter, with the noise of a sensor in the dark. */
  readonly light: number
  /** 1 to 100; null for none. */
  readonly jpegQuality: number | null
}

export const PLAIN_SCENE: SceneWish = { faceSize: 96, degrees: 0, light: 1, jpegQuality: null }

/** As most webcams give them and the page reads them. */
const WIDTH = 640
const HEIGHT = 480
/** The background is the face as this many by this many gray values, enlarged. */
const PATCHES = 4
/** Fraction of the face's size over which its border fades into the background. */
const FEATHER = 0.04
/** Gray levels of noise (standard deviation) in a darkened picture. */
const DARK_NOISE = 2

/** @param random 0 to 1; decides place and noise, so that a seed decides the picture. */
export async function makeScene(face: Pixels, wish: SceneWish, random: () => number): Promise<Pixels> {
  const gray = toGray(face)
  const patches = shrink(gray)
  const centre = { x: WIDTH / 2 + (random() - 0.5) * 120, y: HEIGHT / 2 + (random() - 0.5) * 80 }
  const turn = (wish.degrees * Math.PI) / 180
  const step = gray.size / wish.faceSize
  const cos = Math.cos(turn) * step
  const sin = Math.sin(turn) * step
  const values = new Float32Array(WIDTH * HEIGHT)
  for (let y = 0; y < HEIGHT; y += 1) {
    for (let x = 0; x < WIDTH; x += 1) {
      const dx = x + 0.5 - centre.x
      const dy = y + 0.5 - centre.y
      const u = cos * dx + sin * dy + gray.size / 2
      const v = cos * dy - sin * dx + gray.size / 2
      const share = coverage(u, v, gray.size)
      const back = share < 1 ? sampleLinear(patches, (x / WIDTH) * PATCHES, (y / HEIGHT) * PATCHES) : 0
      values[y * WIDTH + x] = share > 0 ? share * sampleCubic(gray, u, v) + (1 - share) * back : back
    }
  }
  const frame = toPixels(values, wish.light, random)
  return wish.jpegQuality === null ? frame : throughJpeg(frame, wish.jpegQuality)
}

interface GrayImage {
  readonly size: number
  readonly values: Float32Array
}

function toGray({ width, height, data }: Pixels): GrayImage {
  const size = Math.min(width, height)
  const values = new Float32Array(size * size)
  for (let place = 0; place < size * size; place += 1) {
    const from = (Math.floor(place / size) * width + (place % size)) * 4
    values[place] = 0.299 * (data[from] ?? 0) + 0.587 * (data[from + 1] ?? 0) + 0.114 * (data[from + 2] ?? 0)
  }
  return { size, values }
}

function shrink({ size, values }: GrayImage): GrayImage {
  const sums = new Float32Array(PATCHES * PATCHES)
  for (const [place, value] of values.entries()) {
    const row = Math.floor((Math.floor(place / size) * PATCHES) / size)
    const column = Math.floor(((place % size) * PATCHES) / size)
    const patch = row * PATCHES + column
    sums[patch] = (sums[patch] ?? 0) + (value * PATCHES * PATCHES) / (size * size)
  }
  return { size: PATCHES, values: sums }
}

/** 1 well inside the face's square, 0 outside, in between at its border. */
function coverage(u: number, v: number, size: number): number {
  const inside = Math.min(u, v, size - u, size - v) / (size * FEATHER)
  return Math.min(1, Math.max(0, inside))
}

function at({ size, values }: GrayImage, x: number, y: number): number {
  const column = Math.min(size - 1, Math.max(0, x))
  const row = Math.min(size - 1, Math.max(0, y))
  return values[row * size + column] ?? 0
}

function sampleLinear(image: GrayImage, u: number, v: number): number {
  const left = Math.floor(u - 0.5)
  const top = Math.floor(v - 0.5)
  const across = u - 0.5 - left
  const down = v - 0.5 - top
  const upper = at(image, left, top) * (1 - across) + at(image, left + 1, top) * across
  const lower = at(image, left, top + 1) * (1 - across) + at(image, left + 1, top + 1) * across
  return upper * (1 - down) + lower * down
}

/** Catmull-Rom: keeps the edges that enlarging would soften. */
function sampleCubic(image: GrayImage, u: number, v: number): number {
  const left = Math.floor(u - 0.5)
  const top = Math.floor(v - 0.5)
  const columns = cubicWeights(u - 0.5 - left)
  const rows = cubicWeights(v - 0.5 - top)
  let sum = 0
  for (const [down, row] of rows.entries()) {
    for (const [across, column] of columns.entries()) sum += row * column * at(image, left - 1 + across, top - 1 + down)
  }
  return sum
}

function cubicWeights(t: number): readonly number[] {
  return [((-0.5 * t + 1) * t - 0.5) * t, (1.5 * t - 2.5) * t * t + 1, ((-1.5 * t + 2) * t + 0.5) * t, (0.5 * t - 0.5) * t * t]
}

function toPixels(values: Float32Array, light: number, random: () => number): Pixels {
  const data = new Uint8Array(values.length * 4)
  for (const [place, value] of values.entries()) {
    // The sum of four even numbers is near enough to a normal one.
    const noise = light < 1 ? (random() + random() + random() + random() - 2) * Math.sqrt(3) * DARK_NOISE : 0
    const level = Math.min(255, Math.max(0, Math.round(value * light + noise)))
    data.fill(level, place * 4, place * 4 + 3)
    data[place * 4 + 3] = 255
  }
  return { width: WIDTH, height: HEIGHT, data }
}

async function throughJpeg({ width, height, data }: Pixels, quality: number): Promise<Pixels> {
  const file = await sharp(data, { raw: { width, height, channels: 4 } })
    .removeAlpha()
    .jpeg({ quality })
    .toBuffer()
  const decoded = await sharp(file).ensureAlpha().raw().toBuffer()
  return { width, height, data: Uint8Array.from(decoded) }
}
