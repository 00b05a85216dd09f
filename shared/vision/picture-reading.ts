/**
 * What is asked about a picture and what is answered: by the relay's service `vision` to whoever may ask it. Plain data, no runtime knows
 * more. Where the picture comes from and which words a client uses is left to dialects.
 */
import type { EmotionName } from '#shared/model/emotions'
import type { UnsureReason } from './quality.ts'
import type { Rectangle } from './geometry.ts'

/** How a picture is to be read; everything may be left out. */
export interface PictureWish {
  /** Which faces are answered. Default `all`. */
  readonly faces: 'all' | 'largest'
  /** `exif` (default): turned as its EXIF says, as a browser shows it. `none`: as its rows lie. */
  readonly orientation: 'exif' | 'none'
  /** The picture is one cropped face: where the detector finds none in it, the whole is read as a face, never as a certain one. */
  readonly isCrop: boolean
}

/** A face in a picture, as a tablet would report it. */
export interface PictureFace {
  /** Fractions of the picture, after it was turned; may lie partly outside. */
  readonly box: Rectangle
  /** By the classes of the network; they sum to 1. */
  readonly probabilities: Readonly<Partial<Record<EmotionName, number>>>
  readonly emotion: EmotionName
  readonly confidence: number
  /** False: say "unsure". */
  readonly certain: boolean
  /** As in the readings of a station. */
  readonly quality: { readonly quality: number; readonly unsureBecause?: UnsureReason }
}

export interface PictureReading {
  /** Largest first; at most 16. */
  readonly faces: readonly PictureFace[]
  /** Pixels of the picture as sent, after it was turned. */
  readonly width: number
  readonly height: number
}

export interface PictureModel {
  readonly name: string
  readonly version: string
  readonly classes: readonly EmotionName[]
}

/** What `predict` answers. */
export interface Prediction extends PictureReading {
  readonly model: PictureModel
  /** Decoding and reading, in milliseconds. */
  readonly processingMs: number
  /** Before that, waiting for its turn. */
  readonly queuedMs: number
}

/** What `info` answers. */
export interface VisionFacts extends PictureModel {
  readonly input: { readonly width: number; readonly height: number; readonly channels: number; readonly layout: 'NCHW' | 'NHWC' }
  /** Where the manifest tells it. */
  readonly parameters?: number
  readonly runtime: 'onnxruntime-node' | 'onnxruntime-web'
  readonly threads: number
  readonly licence: string
}
