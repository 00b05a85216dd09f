/**
 * Writes `.br` and `.gz` next to every file that shrinks, so that the relay sends bytes and never compresses. Compressed copies are
 * kept under `node_modules/.cache` by content, because brotli at its highest level takes half a minute for onnxruntime's wasm.
 * Which of the copies a client gets is left to the relay.
 */
import { createHash } from 'node:crypto'
import { copyFile, mkdir, readFile, readdir, rename, stat, writeFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'

const COMPRESSIBLE = new Set(['.html', '.js', '.mjs', '.css', '.json', '.webmanifest', '.svg', '.txt', '.wasm', '.onnx', '.bin', '.xml'])
/** Below this the headers cost more than the compression saves. */
const SMALLEST_BYTES = 512
/** Files above this are worth a line of progress. */
const LARGE_BYTES = 1_000_000
/** Above this the highest level of brotli takes more than a minute, and these files are fetched by few. */
const HUGE_BYTES = 20_000_000
const HUGE_QUALITY = 9
/** A copy is kept only when it is at most this fraction of the original. */
const WORTHWHILE_RATIO = 0.95
const CACHE_FOLDER = 'node_modules/.cache/semblante/precompressed'

const encodings = {
  br: (bytes: Uint8Array) =>
    promisify(brotliCompress)(bytes, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: bytes.length > HUGE_BYTES ? HUGE_QUALITY : constants.BROTLI_MAX_QUALITY,
        [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
        [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
      },
    }),
  gz: (bytes: Uint8Array) => promisify(gzip)(bytes, { level: constants.Z_BEST_COMPRESSION }),
} as const
type Encoding = keyof typeof encodings

export interface PrecompressOptions {
  /** Gets one line per large file. By default nothing is said. */
  readonly onProgress?: (line: string) => void
  /** By default under `node_modules/.cache`. */
  readonly cacheFolder?: string
}

export interface PrecompressSummary {
  readonly files: number
  readonly originalBytes: number
  readonly brotliBytes: number
}

/** Compresses everything under `folder`. Running it again replaces the copies; unchanged files come from the cache. */
export async function precompress(folder: string, options: PrecompressOptions = {}): Promise<PrecompressSummary> {
  const cacheFolder = options.cacheFolder ?? CACHE_FOLDER
  await mkdir(cacheFolder, { recursive: true })
  const paths = await listCompressible(folder)
  let originalBytes = 0
  let brotliBytes = 0
  for (const path of paths) {
    const bytes = await readFile(path)
    const key = createHash('sha256').update(bytes).digest('hex').slice(0, 32)
    const sizes = await Promise.all(
      (['br', 'gz'] as const).map((encoding) =>
        writeCopy({ path, bytes, encoding, cachePath: join(cacheFolder, `${key}.${encoding}`), onProgress: options.onProgress }),
      ),
    )
    originalBytes += bytes.length
    brotliBytes += sizes[0] ?? bytes.length
  }
  return { files: paths.length, originalBytes, brotliBytes }
}

interface CopyJob {
  readonly path: string
  readonly bytes: Uint8Array
  readonly encoding: Encoding
  readonly cachePath: string
  readonly onProgress: ((line: string) => void) | undefined
}

/** @returns the bytes of the copy. */
async function writeCopy(job: CopyJob): Promise<number> {
  const cached = await stat(job.cachePath).catch(() => undefined)
  if (cached === undefined) await fillCache(job)
  const { size } = await stat(job.cachePath)
  if (size <= job.bytes.length * WORTHWHILE_RATIO) await copyFile(job.cachePath, `${job.path}.${job.encoding}`)
  return size
}

async function fillCache(job: CopyJob): Promise<void> {
  const isLarge = job.bytes.length > LARGE_BYTES
  const megabytes = (job.bytes.length / 1e6).toFixed(1)
  if (isLarge) job.onProgress?.(`compressing ${job.path} (${megabytes} MB, ${job.encoding}); once, then cached`)
  const compressed = await encodings[job.encoding](job.bytes)
  // Written under another name first, so that an interrupted run leaves no half copy behind.
  await writeFile(`${job.cachePath}.part`, compressed)
  await rename(`${job.cachePath}.part`, job.cachePath)
  if (isLarge) job.onProgress?.(`compressed  ${job.path} to ${(compressed.length / 1e6).toFixed(2)} MB (${job.encoding})`)
}

async function listCompressible(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths: string[] = []
  for (const entry of entries) {
    if (!entry.isFile() || !COMPRESSIBLE.has(extname(entry.name))) continue
    const path = join(entry.parentPath, entry.name)
    if ((await stat(path)).size >= SMALLEST_BYTES) paths.push(path)
  }
  return paths.sort()
}
