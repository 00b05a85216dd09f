/**
 * What a file is, by its first bytes and never by its name, so that no decoder sees what it is not for. Decoding is left to
 * `decode-picture.ts`.
 */
import { fail, succeed, type Result } from '#shared/protocol/errors'

export type PictureKind = 'jpeg' | 'png' | 'webp'

/** Pictures that people do send and that are not read, to name them. */
const OTHERS: readonly (readonly [string, RegExp])[] = [
  ['a GIF', /^GIF8/],
  ['a BMP', /^BM/],
  ['a TIFF', /^(II\*\0|MM\0\*)/],
  ['a HEIC or AVIF', /^[^]{4}ftyp/],
  ['a JPEG XL', /^(\xff\x0a|\0\0\0\x0cJXL )/],
  ['an SVG', /^(\xef\xbb\xbf)?\s*<(\?xml|!DOCTYPE svg|!--|svg)/i],
  ['a PDF', /^%PDF/],
]
const PNG_SIGNATURE = '\x89PNG\r\n\x1a\n'
/** Bytes looked at for what it is. */
const HEAD = 64

/** Fails with `image.unsupported` for known kinds that are not read, animated ones too, and `image.undecodable` for anything else. */
export function findPictureKind(bytes: Uint8Array): Result<PictureKind> {
  const head = toLatin(bytes.subarray(0, HEAD))
  if (head.startsWith('\xff\xd8\xff')) return succeed('jpeg')
  if (head.startsWith(PNG_SIGNATURE)) return isAnimatedPng(bytes) ? refuse('an animated PNG') : succeed('png')
  if (/^RIFF[^]{4}WEBP/.test(head)) return isAnimatedWebp(bytes) ? refuse('an animated WebP') : succeed('webp')
  const other = OTHERS.find(([, pattern]) => pattern.test(head))
  return other === undefined ? fail('image.undecodable', 'These bytes are no JPEG, PNG or WebP picture.') : refuse(other[0])
}

function refuse(what: string): Result<never> {
  return fail('image.unsupported', `This is ${what}; JPEG, PNG and WebP pictures that stand still are read.`)
}

/** The animation control chunk comes before the first data (PNG specification, third edition, 11.3.6.1). */
function isAnimatedPng(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = PNG_SIGNATURE.length; at + 8 <= bytes.length;) {
    const type = toLatin(bytes.subarray(at + 4, at + 8))
    if (type === 'acTL') return true
    if (type === 'IDAT') return false
    // Length, type and check sum: never stands still.
    at += view.getUint32(at) + 12
  }
  return false
}

/** The animation bit of the extended header (RFC 9649 section 2.7). */
function isAnimatedWebp(bytes: Uint8Array): boolean {
  return toLatin(bytes.subarray(12, 16)) === 'VP8X' && ((bytes[20] ?? 0) & 0x02) !== 0
}

function toLatin(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}
