/** The picture in the body of a plain request: a form with a file (`file` or `image`), JSON with base64 (`image`), or the picture itself. */
import { fail, succeed, type Failure, type Result } from '#shared/protocol/errors'
import type { HttpRequest } from '../../ports.ts'
import { decodePictureText } from './base64-picture.ts'
import { parseMultipartForm } from './multipart-form.ts'

export type PictureBody =
  | { readonly kind: 'picture'; readonly bytes: Uint8Array }
  /** There is no such field. */
  | { readonly kind: 'missing' }
  /** In Python's words. */
  | { readonly kind: 'undecodable'; readonly problem: string }

const FIELDS = ['file', 'image'] as const
/** What a form or JSON needs around a picture. */
const AROUND_BYTES = 16 * 1024

/** @param imageBytes the largest picture; base64 may take a third more. Never rejects. */
export async function readPictureBody(request: HttpRequest, imageBytes: number): Promise<Result<PictureBody>> {
  const type = request.headers.get('content-type') ?? ''
  const isJson = /^application\/json\b/i.test(type)
  const limit = (isJson ? Math.ceil(imageBytes / 3) * 4 : imageBytes) + AROUND_BYTES
  const body = await request.readBody(limit)
  if (!body.ok) return body
  if (/^image\//i.test(type) || /^application\/octet-stream\b/i.test(type)) return succeed({ kind: 'picture', bytes: body.value })
  if (isJson) return readJson(body.value)
  if (/^multipart\/form-data\b/i.test(type)) return readForm(body.value, type)
  return { ok: false, failure: WRONG_TYPE }
}

const WRONG_TYPE: Failure = {
  code: 'frame.invalid_fields',
  message: 'The body is multipart/form-data with a file, application/json with image as base64, or a picture by itself.',
}

function readJson(bytes: Uint8Array): Result<PictureBody> {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    return fail('frame.malformed_json', 'The body is not JSON.')
  }
  if (typeof value !== 'object' || value === null) return fail('frame.not_an_object', 'The JSON is not an object.')
  if (!('image' in value)) return succeed({ kind: 'missing' })
  const decoded = decodePictureText(value.image)
  return succeed(decoded.ok ? { kind: 'picture', bytes: decoded.bytes } : { kind: 'undecodable', problem: decoded.problem })
}

function readForm(bytes: Uint8Array, type: string): Result<PictureBody> {
  const parts = parseMultipartForm(bytes, type)
  if (parts === undefined) return fail('frame.invalid_fields', 'The form cannot be read: its boundary and its parts do not fit.')
  const part = FIELDS.map((field) => parts.find(({ name }) => name === field)).find((found) => found !== undefined)
  return succeed(part === undefined ? { kind: 'missing' } : { kind: 'picture', bytes: part.bytes })
}
