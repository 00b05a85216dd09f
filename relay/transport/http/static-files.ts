/**
 * The built page, read once at start and served from memory, so that no request touches the disk and no path can lead out of the folder.
 * Takes the `.br` and `.gz` copies that the build left beside the files. Leaves building and compressing to scripts/.
 */
import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { HttpRequest, HttpResponse } from '../../ports.ts'
import { DEFAULT_MODEL_PATH, describeDefaultModel, findEmotionModelFault } from './emotion-model.ts'
import { findMediaType } from './media-types.ts'
import { SECURITY_HEADERS } from './security-headers.ts'

type Encoding = 'br' | 'gzip' | 'identity'

interface Copy {
  readonly body: Uint8Array
  /** Strong, differs between encodings (RFC 9110 section 8.8.3). */
  readonly etag: string
}

interface StaticFile {
  readonly mediaType: string
  readonly cacheControl: string
  readonly copies: ReadonlyMap<Encoding, Copy>
}

export interface StaticFiles {
  /** @param path as it came, percent-encoded. @returns undefined when there is no such file. */
  find(path: string, request: HttpRequest): HttpResponse | undefined
  /** Bytes held. */
  readonly sizeBytes: number
}

/** `missing`: no folder or no index.html in it. `too_large`: more than `MAX_BYTES`. `model_wrong`: `details` says what of EMOTION_MODEL. */
export type StaticFilesResult =
  | { readonly ok: true; readonly files: StaticFiles }
  | { readonly ok: false; readonly problem: 'missing' | 'too_large' }
  | { readonly ok: false; readonly problem: 'model_wrong'; readonly details: string }

/** The build is about 30 MB with its compressed copies. */
const MAX_BYTES = 512 * 1024 * 1024
const MAX_FILES = 10_000
/** Best first. */
const COMPRESSED = [
  { encoding: 'br', ending: '.br' },
  { encoding: 'gzip', ending: '.gz' },
] as const

const IMMUTABLE = 'public, max-age=31536000, immutable'
const REVALIDATE = 'no-cache'

/** Emotion networks and what describes them. */
const MODEL_FILE = /^[A-Za-z0-9._-]+\.(?:onnx|json)$/

/**
 * @param modelsFolder its networks and manifests are served under `/models/`; empty for none.
 * @param emotionModel the network of `modelsFolder` that pages take by default; empty for their own.
 */
export async function loadStaticFiles(folder: string, modelsFolder = '', emotionModel = ''): Promise<StaticFilesResult> {
  const paths = await listFiles(folder)
  if (!paths.includes('index.html')) return { ok: false, problem: 'missing' }
  const models = modelsFolder === '' ? [] : (await listFiles(modelsFolder)).filter((path) => MODEL_FILE.test(path))
  const sizeBytes = (await sumSizes(folder, paths)) + (await sumSizes(modelsFolder, models))
  if (sizeBytes > MAX_BYTES || paths.length + models.length > MAX_FILES) return { ok: false, problem: 'too_large' }
  const details = emotionModel === '' ? undefined : await findEmotionModelFault(modelsFolder, emotionModel)
  if (details !== undefined) return { ok: false, problem: 'model_wrong', details }
  const all = new Set(paths)
  const files = new Map<string, StaticFile>()
  for (const path of paths) {
    if (!isCompressedCopy(path, all)) files.set(`/${path}`, await loadFile(folder, path, all))
  }
  for (const path of models) files.set(`/models/${path}`, await loadFile(modelsFolder, path, new Set()))
  const chosen = new Map([['identity', toCopy(describeDefaultModel(emotionModel))] as const])
  files.set(DEFAULT_MODEL_PATH, { mediaType: findMediaType(DEFAULT_MODEL_PATH), cacheControl: REVALIDATE, copies: chosen })
  return { ok: true, files: { sizeBytes, find: (path, request) => find(files, path, request) } }
}

async function listFiles(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true })
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length).replaceAll('\\', '/').replace(/^\/+/, ''))
  } catch {
    return []
  }
}

async function sumSizes(folder: string, paths: readonly string[]): Promise<number> {
  let sizeBytes = 0
  for (const path of paths) sizeBytes += (await stat(join(folder, path))).size
  return sizeBytes
}

function isCompressedCopy(path: string, all: ReadonlySet<string>): boolean {
  return COMPRESSED.some(({ ending }) => path.endsWith(ending) && all.has(path.slice(0, -ending.length)))
}

async function loadFile(folder: string, path: string, all: ReadonlySet<string>): Promise<StaticFile> {
  const copies = new Map<Encoding, Copy>()
  copies.set('identity', toCopy(await readFile(join(folder, path))))
  for (const { encoding, ending } of COMPRESSED) {
    if (all.has(path + ending)) copies.set(encoding, toCopy(await readFile(join(folder, path + ending))))
  }
  return { mediaType: findMediaType(path), cacheControl: isHashed(path) ? IMMUTABLE : REVALIDATE, copies }
}

function toCopy(body: Uint8Array): Copy {
  return { body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` }
}

/** The build names everything under assets/, or its folder, by its content; a changed file has another name. */
function isHashed(path: string): boolean {
  return path.startsWith('assets/')
}

function find(files: ReadonlyMap<string, StaticFile>, path: string, request: HttpRequest): HttpResponse | undefined {
  const file = files.get(decodePath(path))
  if (file === undefined) return undefined
  const encoding = chooseEncoding(file, request.headers.get('accept-encoding'))
  const copy = file.copies.get(encoding)
  if (copy === undefined) return undefined
  const headers = {
    ...SECURITY_HEADERS,
    'cache-control': file.cacheControl,
    etag: copy.etag,
    ...(file.copies.size > 1 ? { vary: 'accept-encoding' } : {}),
  }
  if (hasTag(request.headers.get('if-none-match'), copy.etag)) return { status: 304, headers, body: '' }
  const described = { ...headers, 'content-type': file.mediaType }
  return { status: 200, headers: encoding === 'identity' ? described : { ...described, 'content-encoding': encoding }, body: copy.body }
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return ''
  }
}

function chooseEncoding(file: StaticFile, accepted: string | undefined): Encoding {
  const wanted = parseAcceptEncoding(accepted ?? '')
  return COMPRESSED.find(({ encoding }) => file.copies.has(encoding) && wanted.has(encoding))?.encoding ?? 'identity'
}

/** Names with a weight above zero (RFC 9110 section 12.5.3). */
function parseAcceptEncoding(header: string): ReadonlySet<string> {
  const names = new Set<string>()
  for (const part of header.split(',')) {
    const [name, ...parameters] = part.split(';').map((text) => text.trim().toLowerCase())
    if (name !== undefined && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter))) names.add(name)
  }
  return names
}

function hasTag(header: string | undefined, etag: string): boolean {
  return (header ?? '').split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag || tag.trim() === '*')
}
