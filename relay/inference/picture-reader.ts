/** From pixels to what is answered about them, with the tablet's own pipeline; each picture by itself, nothing is smoothed or followed. */
import { EMOTIONS } from '#shared/model/emotions'
import { createFacePipeline, type FaceNetworks, type ReadFace } from '#shared/vision/face-pipeline'
import type { Pixels, Rectangle } from '#shared/vision/geometry'
import type { ModelManifest } from '#shared/vision/model-manifest'
import { inputDims, valuesPerFace } from '#shared/vision/network-shape'
import type { PictureFace, PictureWish } from '#shared/vision/picture-reading'
import { readWholePicture } from '#shared/vision/whole-picture'

export interface PictureReader {
  /** Rejects when a network fails. */
  read(pixels: Pixels, wish: Pick<PictureWish, 'faces' | 'isCrop'>): Promise<readonly PictureFace[]>
  /** The first run of a network is slow; better before somebody waits. */
  warmUp(): Promise<void>
}

const MAX_FACES = 16
/** How much the frame grows for a face that fills the crop: the detector has to see where the face ends. */
const PADDING = 0.5

export function createPictureReader(networks: FaceNetworks, manifest: ModelManifest): PictureReader {
  const pipeline = createFacePipeline({
    ...{ networks, manifest, maxFaces: MAX_FACES, findEveryMs: 0, smoothingMs: 0 },
    now: () => performance.now(),
  })

  async function find(pixels: Pixels): Promise<readonly ReadFace[]> {
    try {
      return (await pipeline.analyse(pixels, 0)).faces
    } finally {
      pipeline.reset()
    }
  }
  function describe(face: Pick<ReadFace, 'emotion' | 'confidence' | 'probabilities'>) {
    const probabilities = Object.fromEntries(manifest.classes.map((name) => [name, face.probabilities[EMOTIONS.indexOf(name)] ?? 0]))
    return { probabilities, emotion: face.emotion, confidence: face.confidence }
  }
  function toFace(face: ReadFace, place = (box: Rectangle): Rectangle => box): PictureFace {
    const { quality, unsureBecause } = face
    const seen = { quality, ...(unsureBecause === undefined ? {} : { unsureBecause }) }
    return { box: place(face.box), ...describe(face), certain: face.isCertain, quality: seen }
  }
  async function readCrop(pixels: Pixels): Promise<readonly PictureFace[]> {
    const inside = await find(pad(pixels))
    if (inside.length > 0) return inside.map((face) => toFace(face, unpad))
    const whole = await readWholePicture(pixels, { networks, manifest })
    return [{ box: { x: 0, y: 0, width: 1, height: 1 }, ...describe(whole), certain: false, quality: { quality: 0 } }]
  }

  return {
    async read(pixels, { faces, isCrop }) {
      const found = await find(pixels)
      const read = found.length === 0 && isCrop ? await readCrop(pixels) : found.map((face) => toFace(face))
      return faces === 'largest' ? read.slice(0, 1) : read
    },
    async warmUp() {
      await find({ width: 64, height: 48, data: new Uint8Array(64 * 48 * 4) })
      const { input } = manifest
      await networks.classify({ input: new Float32Array(valuesPerFace(input)), count: 1, dims: inputDims(input, 1) })
    },
  }
}

/** The picture in the middle of a black one. */
function pad({ width, height, data }: Pixels): Pixels {
  const left = Math.round(width * PADDING)
  const top = Math.round(height * PADDING)
  const wide = width + 2 * left
  const padded = new Uint8Array(wide * (height + 2 * top) * 4)
  for (let row = 0; row < height; row += 1) {
    padded.set(data.subarray(row * width * 4, (row + 1) * width * 4), ((row + top) * wide + left) * 4)
  }
  return { width: wide, height: height + 2 * top, data: padded }
}

/** From fractions of the padded picture to fractions of the picture. */
function unpad({ x, y, width, height }: Rectangle): Rectangle {
  const grown = 1 + 2 * PADDING
  return { x: x * grown - PADDING, y: y * grown - PADDING, width: width * grown, height: height * grown }
}
