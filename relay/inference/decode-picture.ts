/**
 * A JPEG, PNG or WebP file as the pixels that the pipeline reads: turned as its EXIF says, in sRGB, no larger than a tablet's frame. sharp is
 * named in this file only. Whatever is wrong with a file is a value with a code; the file is kept nowhere.
 */
import type { Sharp, SharpOptions } from 'sharp'
import { fail, succeed, type Result } from '#shared/protocol/errors'
import { shrinkFrame } from '#shared/vision/frame-size'
import type { Pixels } from '#shared/vision/geometry'
import type { PictureWish } from '#shared/vision/picture-reading'
import { findPictureKind } from './picture-kind.ts'

export interface DecodedPicture {
  readonly pixels: Pixels
  /** As sent, after it was turned. */
  readonly width: number
  readonly height: number
}

export interface DecodeOptions {
  readonly imagePixels: number
  readonly orientation: PictureWish['orientation']
}

/** Rejects never. Fails with `image.unsupported`, `image.undecodable` or `image.too_large`. */
export type PictureDecoder = (bytes: Uint8Array, options: DecodeOptions) => Promise<Result<DecodedPicture>>

/** Nobody waits longer for one picture; libvips stops by itself. */
const DECODE_SECONDS = 5
const BLACK = { r: 0, g: 0, b: 0 }
/** The only readers of files that are left open; everything else (SVG, TIFF, PDF, ...) is shut, whatever the first bytes look like. */
const LOADERS = ['VipsForeignLoadJpegBuffer', 'VipsForeignLoadPngBuffer', 'VipsForeignLoadWebpBuffer']

/** Rejects where sharp has no binary for this system. */
export async function openDecoder(): Promise<PictureDecoder> {
  const { default: sharp } = await import('sharp')
  sharp.cache(false)
  // Threads are counted by INFERENCE_THREADS, one picture each.
  sharp.concurrency(1)
  sharp.block({ operation: ['VipsForeignLoad'] })
  sharp.unblock({ operation: LOADERS })

  return async function decode(bytes, options) {
    const kind = findPictureKind(bytes)
    if (!kind.ok) return kind
    // `error`: what is broken fails; bytes too many between two markers, which webcams write, do not.
    const settings: SharpOptions = { failOn: 'error', limitInputPixels: options.imagePixels, sequentialRead: true, animated: false }
    try {
      const size = await readSize(sharp(bytes, { ...settings, limitInputPixels: false }), options)
      if (!size.ok) return size
      return await readPixels(sharp(bytes, settings), size.value, options)
    } catch {
      return fail('image.undecodable', `The ${kind.value.toUpperCase()} picture is broken or not whole.`)
    }
  }
}

interface Size {
  readonly width: number
  readonly height: number
}

/** From the header: nothing is decoded before the size is known to be allowed. */
async function readSize(picture: Sharp, { imagePixels, orientation }: DecodeOptions): Promise<Result<Size>> {
  const { width, height, autoOrient } = await picture.metadata()
  if (!(width > 0 && height > 0)) return fail('image.undecodable', 'The picture has no size.')
  if (width * height > imagePixels) {
    const size = `${String(width)} by ${String(height)}`
    return fail('image.too_large', `The picture has ${size} pixels; at most ${String(imagePixels)} are read. Send it smaller.`)
  }
  return succeed(orientation === 'exif' ? { width: autoOrient.width, height: autoOrient.height } : { width, height })
}

async function readPixels(picture: Sharp, size: Size, { orientation }: DecodeOptions): Promise<Result<DecodedPicture>> {
  const turned = orientation === 'exif' ? picture.autoOrient() : picture
  const wanted = shrinkFrame(size)
  const { data, info } = await turned
    .timeout({ seconds: DECODE_SECONDS })
    .resize(wanted.width, wanted.height, { fit: 'fill', kernel: 'linear' })
    // As a page does that draws it on a canvas without transparency.
    .flatten({ background: BLACK })
    .toColourspace('srgb')
    .ensureAlpha()
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
  if (info.channels !== 4) return fail('image.undecodable', 'The colours of the picture cannot be read.')
  return succeed({ pixels: { width: info.width, height: info.height, data: align(data) }, ...size })
}

/** Pixels are read as words, which must start at a multiple of four bytes. */
function align(data: Uint8Array): Uint8Array {
  return data.byteOffset % Uint32Array.BYTES_PER_ELEMENT === 0 ? data : Uint8Array.from(data)
}
