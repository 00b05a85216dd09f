/** Pictures for tests: the fixture in every form that is read, and what is not to be read. Made on the way, so that no strange file lies about. */
import { readFile } from 'node:fs/promises'
import { deflateSync } from 'node:zlib'
import sharp from 'sharp'

/** The portrait, 512 by 512, one smiling face. */
export function readPortrait(): Promise<Buffer> {
  return readFile(new URL('../../../web/fixtures/astronaut.jpg', import.meta.url))
}

/** The portrait as a phone writes it that was held sideways: the rows lie turned, EXIF says how. */
export async function writeTurned(): Promise<Buffer> {
  // 6: to be turned by 90 degrees clockwise, so the rows are turned the other way.
  return sharp(await readPortrait())
    .rotate(-90)
    .withMetadata({ orientation: 6 })
    .jpeg({ quality: 95 })
    .toBuffer()
}

/** The portrait twice, the second one smaller. */
export async function writeTwoFaces(): Promise<Buffer> {
  const small = await sharp(await readPortrait())
    .resize(340, 340)
    .toBuffer()
  return sharp(await readPortrait())
    .extend({ right: 340, background: 'gray' })
    .composite([{ input: small, left: 512, top: 0 }])
    .jpeg({ quality: 95 })
    .toBuffer()
}

/** A cut so tight that little but eyes and mouth is left. */
export async function writeTightCrop(): Promise<Buffer> {
  return sharp(await readPortrait())
    .extract({ left: 180, top: 80, width: 92, height: 92 })
    .png()
    .toBuffer()
}

export function writePlain(width: number, height: number): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 3, background: 'gray' } })
    .jpeg()
    .toBuffer()
}

export async function writeAnimatedWebp(): Promise<Buffer> {
  const frames = await Promise.all(
    ['red', 'blue'].map((background) =>
      sharp({ create: { width: 32, height: 32, channels: 3, background } })
        .png()
        .toBuffer(),
    ),
  )
  return sharp(frames, { join: { animated: true } })
    .webp()
    .toBuffer()
}

/** A picture of so many pixels in a few bytes; its data say less than its header. */
export function writePngHeader(width: number, height: number, { isAnimated = false } = {}): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 0, 0, 0, 0], 8)
  const frames = isAnimated ? [chunk('acTL', Buffer.from([0, 0, 0, 2, 0, 0, 0, 0]))] : []
  const data = chunk('IDAT', deflateSync(Buffer.alloc(width < 1000 ? (width + 1) * height : 10_000)))
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', header), ...frames, data, chunk('IEND', Buffer.alloc(0))])
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const framed = Buffer.alloc(body.length + 8)
  framed.writeUInt32BE(data.length, 0)
  framed.set(body, 4)
  framed.writeUInt32BE(crc32(body), body.length + 4)
  return framed
}

/** PNG specification, annex D. */
function crc32(bytes: Buffer): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return (crc ^ 0xffffffff) >>> 0
}
