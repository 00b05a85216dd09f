/** What somebody asks of `predict`, checked: what comes off the wire is unknown. Bytes are not looked at here, that costs time. */
import { fail, succeed, type Result } from '#shared/protocol/errors'
import type { PictureToRead } from '../../ports.ts'

export interface PictureQuestion {
  readonly picture: PictureToRead
  /** Every picture is answered in its turn: none is superseded by the next of the same connection. */
  readonly isKept: boolean
  /** Of the file, before base64; a few too many where the text has line breaks. */
  readonly sizeBytes: number
}

const EXPECTED = 'image?, faces?: all or largest, orientation?: exif or none, crop?, keep?: true or false'

/** Fails with `image.missing` or `frame.invalid_fields`. */
export function parsePictureQuestion(data: unknown, attachment: Uint8Array | undefined): Result<PictureQuestion> {
  const fields = data ?? {}
  if (typeof fields !== 'object' || Array.isArray(fields)) return refuse('/data', `an object with ${EXPECTED}`)
  const read = (name: string): unknown => Reflect.get(fields, name) ?? undefined
  const [image, faces, orientation, crop, keep] = [read('image'), read('faces'), read('orientation'), read('crop'), read('keep')]
  if (faces !== undefined && faces !== 'all' && faces !== 'largest') return refuse('/data/faces', 'all or largest')
  if (orientation !== undefined && orientation !== 'exif' && orientation !== 'none') return refuse('/data/orientation', 'exif or none')
  if (crop !== undefined && typeof crop !== 'boolean') return refuse('/data/crop', 'true or false')
  if (keep !== undefined && typeof keep !== 'boolean') return refuse('/data/keep', 'true or false')
  if (image !== undefined && typeof image !== 'string') return refuse('/data/image', 'base64 text')
  const source = attachment ?? image ?? ''
  if (source.length === 0) return fail('image.missing', 'Send a picture as base64 in data.image, or as the attachment of a binary frame.')
  return succeed({
    picture: { source, faces: faces ?? 'all', orientation: orientation ?? 'exif', isCrop: crop ?? false },
    isKept: keep ?? false,
    sizeBytes: typeof source === 'string' ? measureBase64(source) : source.length,
  })
}

function refuse(field: string, expected: string): Result<never> {
  return fail('frame.invalid_fields', `Expected ${expected}.`, field)
}

/** What base64 stands for, without reading it: three bytes for four characters after a data URL's comma. */
function measureBase64(text: string): number {
  const start = text.startsWith('data:') ? text.indexOf(',', 0) + 1 : 0
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  return Math.floor(((text.length - start - padding) * 3) / 4)
}
