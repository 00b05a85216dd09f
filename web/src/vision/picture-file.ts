/**
 * Opens a photo from a file, turned as its EXIF says, or says why that is not possible. The file stays where it is: nothing is copied but
 * the picture the browser decodes. Reading it is left to `picture-reader.ts`, films to `film-file.ts`.
 */

/**
 * Why a file cannot be read.
 * - `kind`: neither a photo nor a video.
 * - `empty`: no bytes.
 * - `large`: more bytes or pixels than a tablet should take on.
 * - `undecodable`: damaged, or of a format that this browser does not know (HEIC outside Safari, for instance).
 */
export type FileProblem = 'kind' | 'empty' | 'large' | 'undecodable'

export type PictureFileResult = { readonly ok: true; readonly picture: ImageBitmap } | { readonly ok: false; readonly problem: FileProblem }

export type FileKind = 'picture' | 'film'

export const MAX_PICTURE_BYTES = 50_000_000
/** The browser decodes four bytes for each. */
export const MAX_PICTURE_PIXELS = 100_000_000
/** Read by the decoder piece by piece, never as a whole. */
export const MAX_FILM_BYTES = 4_000_000_000

/** For files whose type the system does not tell. */
const ENDINGS: readonly (readonly [FileKind, RegExp])[] = [
  ['picture', /\.(?:jpe?g|png|webp|avif|gif|bmp|hei[cf])$/i],
  ['film', /\.(?:mp4|m4v|mov|webm|mkv|ogv)$/i],
]

/** @returns undefined for what is neither. */
export function findFileKind({ name, type }: Pick<File, 'name' | 'type'>): FileKind | undefined {
  // A drawing has no faces, and browsers do not decode it outside a page.
  if (type === 'image/svg+xml') return undefined
  if (type.startsWith('image/')) return 'picture'
  if (type.startsWith('video/')) return 'film'
  return type === '' ? ENDINGS.find(([, pattern]) => pattern.test(name))?.[0] : undefined
}

/** What can be said without opening it. @returns undefined when nothing is wrong. */
export function findFileProblem(file: Pick<File, 'name' | 'type' | 'size'>): FileProblem | undefined {
  const kind = findFileKind(file)
  if (kind === undefined) return 'kind'
  if (file.size === 0) return 'empty'
  return file.size > (kind === 'picture' ? MAX_PICTURE_BYTES : MAX_FILM_BYTES) ? 'large' : undefined
}

/** Never rejects. The picture is the receiver's to close. */
export async function openPictureFile(file: Blob): Promise<PictureFileResult> {
  try {
    const picture = await createImageBitmap(file, { imageOrientation: 'from-image' })
    if (picture.width * picture.height <= MAX_PICTURE_PIXELS) return { ok: true, picture }
    picture.close()
    return { ok: false, problem: 'large' }
  } catch {
    return { ok: false, problem: 'undecodable' }
  }
}
