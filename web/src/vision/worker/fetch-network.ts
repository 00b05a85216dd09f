/**
 * Finds and downloads an emotion network with its manifest and verifies both. Compiling it is left to `load-networks.ts`. A network other
 * than the one that ships comes from the server when that answers and from what was kept when it does not.
 */
import { type ModelManifest, parseModelManifest } from '#shared/vision/model-manifest'
import { VisionError } from '../vision-error.ts'
import type { KeptFiles } from './kept-network.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** Manifests are small; a server that takes longer counts as away. */
const ANSWER_LIMIT_MS = 4000

export interface NetworkFiles {
  /** The manifest's address. */
  readonly url: string
  readonly manifest: ModelManifest
  readonly bytes: Bytes
  /** What `KeptFiles` would have to hold to give the same again. */
  readonly files: ReadonlyMap<string, Bytes>
}

export interface FetchNetworkOptions {
  /** The manifest's address. */
  readonly url: string
  /** Undefined for a network that the service worker holds. */
  readonly kept?: KeptFiles
}

/** @throws VisionError `model-missing` or `model-corrupt`, naming the file or the manifest's field at fault. */
export async function fetchNetwork({ url, kept }: FetchNetworkOptions): Promise<NetworkFiles> {
  const folder = url.slice(0, url.lastIndexOf('/') + 1)
  const manifestFile = url.slice(folder.length)
  const described = await fetchFile(url, kept)
  const result = parseModelManifest(parseJson(described))
  if (!result.ok) throw new VisionError('model-corrupt', `${manifestFile}: ${result.field || 'the whole'} ${result.problem}`)
  const { manifest } = result
  // Under its checksum: a network that has not changed is not downloaded again.
  const key = `${folder}${manifest.file}?sha256=${manifest.sha256}`
  const bytes = (await kept?.read(key)) ?? (await fetchFile(`${folder}${manifest.file}`))
  if (bytes.length !== manifest.bytes) {
    throw new VisionError(
      'model-corrupt',
      `${manifestFile}: /bytes ${manifest.file} has ${String(bytes.length)} bytes, the manifest says ${String(manifest.bytes)}`,
    )
  }
  if (!(await hasDigest(bytes, manifest.sha256))) {
    throw new VisionError('model-corrupt', `${manifestFile}: /sha256 is not the checksum of ${manifest.file}`)
  }
  return {
    url,
    manifest,
    bytes,
    files: new Map([
      [url, described],
      [key, bytes],
    ]),
  }
}

/** Which network the server wants pages to take. */
export interface DefaultNetwork {
  /** The manifest's address on this server; undefined for the one that ships. */
  readonly url: string | undefined
  readonly files: ReadonlyMap<string, Bytes>
}

const NO_DEFAULT: DefaultNetwork = { url: undefined, files: new Map() }
/** A path on this server. Two slashes would name another. */
const MANIFEST_PATH = /^\/(?!\/)[\w./-]{1,120}\.json$/

/** Never rejects: a server that does not know the question wants nothing in particular. @param url where it is answered. */
export async function findDefaultNetwork(url: string, kept: KeptFiles): Promise<DefaultNetwork> {
  const bytes = await fetchFile(url, kept).catch(() => undefined)
  if (bytes === undefined) return NO_DEFAULT
  const answer: unknown = parseJson(bytes)
  const path: unknown = typeof answer === 'object' && answer !== null ? Reflect.get(answer, 'manifest') : undefined
  return typeof path === 'string' && MANIFEST_PATH.test(path) ? { url: path, files: new Map([[url, bytes]]) } : NO_DEFAULT
}

/**
 * A server that answers is believed, also when it says that there is no such file; the kept copy is for one that does not.
 * @throws VisionError `model-missing`
 */
export async function fetchFile(url: string, kept?: KeptFiles): Promise<Bytes> {
  // Only where something else can be had instead is waiting too long a failure.
  const answer = await request(url, kept === undefined ? undefined : AbortSignal.timeout(ANSWER_LIMIT_MS))
  if (answer.ok) return answer.bytes
  const copy = answer.isFinal ? undefined : await kept?.read(url)
  if (copy !== undefined) return copy
  throw new VisionError('model-missing', `${url.slice(url.lastIndexOf('/') + 1)} ${answer.problem}`)
}

type Answer = { readonly ok: true; readonly bytes: Bytes } | { readonly ok: false; readonly isFinal: boolean; readonly problem: string }

async function request(url: string, signal: AbortSignal | undefined): Promise<Answer> {
  try {
    const response = await fetch(new URL(url, self.location.href), signal === undefined ? {} : { signal })
    if (response.ok) return { ok: true, bytes: new Uint8Array(await response.arrayBuffer()) }
    return { ok: false, isFinal: response.status < 500, problem: `answered ${String(response.status)}` }
  } catch (error) {
    return { ok: false, isFinal: false, problem: `could not be fetched: ${error instanceof Error ? error.message : String(error)}` }
  }
}

function parseJson(bytes: Bytes): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return null
  }
}

/** Pages without https have no `crypto.subtle`; they have no camera either, and the size has been checked. */
async function hasDigest(bytes: Bytes, sha256: string): Promise<boolean> {
  if (!self.isSecureContext) return true
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('') === sha256
}
