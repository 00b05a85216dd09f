/** The pictures of the benchmark, made from the fixture: a camera's frame, what a weak tablet sends instead, and a thumbnail. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { ROOT } from '../relay/server-process.ts'

export interface BenchPictures {
  /** 640 by 480 JPEG, one face. */
  readonly frame: Buffer
  /** 160 by 160 JPEG around the face. */
  readonly crop: Buffer
  /** 96 by 72 JPEG, the same face. */
  readonly thumbnail: Buffer
}

export async function makePictures(): Promise<BenchPictures> {
  const portrait = await readFile(join(ROOT, 'web/fixtures/astronaut.jpg'))
  const frame = await sharp(portrait).resize(640, 480, { fit: 'cover', position: 'top' }).jpeg({ quality: 85 }).toBuffer()
  const crop = await sharp(portrait).extract({ left: 145, top: 47, width: 160, height: 160 }).jpeg({ quality: 85 }).toBuffer()
  return { frame, crop, thumbnail: await sharp(frame).resize(96, 72).jpeg({ quality: 85 }).toBuffer() }
}
