/**
 * A picture as VisionAI's clients write it: base64, read as leniently as Python's `base64.b64decode` does and refused in its words
 * (CPython, Modules/binascii.c, `a2b_base64`). A data-URL prefix, which the original took for picture data, is left out. Whether the bytes
 * are a picture is left to the service that reads them.
 */

export type PictureText = { readonly ok: true; readonly bytes: Uint8Array } | { readonly ok: false; readonly problem: string }

const DATA_URL_PREFIX = /^\s*data:[^,]{0,256},/i

/** @param value what stands in the field `image`. @returns at least no bytes; a problem in Python's words. */
export function decodePictureText(value: unknown): PictureText {
  if (typeof value !== 'string') {
    return { ok: false, problem: `argument should be a bytes-like object or ASCII string, not '${pythonTypeOf(value)}'` }
  }
  const text = value.replace(DATA_URL_PREFIX, '')
  if (/[^\x00-\x7f]/.test(text)) return { ok: false, problem: 'string argument should contain only ASCII characters' }
  const letters = text.replace(/[^A-Za-z0-9+/=]/g, '')
  const [data = '', padding = ''] = /^([^=]*)(=*)/.exec(letters)?.slice(1) ?? []
  const problem = findPaddingProblem(data.length, padding.length)
  return problem === undefined ? { ok: true, bytes: new Uint8Array(Buffer.from(data, 'base64')) } : { ok: false, problem }
}

function findPaddingProblem(dataLength: number, paddingLength: number): string | undefined {
  const rest = dataLength % 4
  if (rest === 0) return undefined
  if (rest === 1) {
    return `Invalid base64-encoded string: number of data characters (${String(dataLength)}) cannot be 1 more than a multiple of 4`
  }
  return paddingLength >= 4 - rest ? undefined : 'Incorrect padding'
}

function pythonTypeOf(value: unknown): string {
  if (value === null || value === undefined) return 'NoneType'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float'
  return Array.isArray(value) ? 'list' : 'dict'
}
