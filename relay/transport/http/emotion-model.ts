/**
 * The emotion network that pages take until somebody chooses another (EMOTION_MODEL), looked at once at start: a wrong name, manifest or
 * checksum is told here, to the operator, and not by every tablet. Pages check again, they may be offline or served by others.
 */
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseModelManifest } from '#shared/vision/model-manifest'

/** Where pages ask which network to take: `{"manifest": "/models/x.json"}`, or null for their own. */
export const DEFAULT_MODEL_PATH = '/models/default.json'

/**
 * @param folder MODELS_DIR. @param name of the network, with or without `.json`.
 * @returns what is wrong, naming the setting or the manifest's field; undefined when the network can be served.
 */
export async function findEmotionModelFault(folder: string, name: string): Promise<string | undefined> {
  const file = toManifestFile(name)
  if (folder === '') return `EMOTION_MODEL is ${name}, but MODELS_DIR, the folder with ${file}, is not set`
  const text = await readFile(join(folder, file), 'utf8').catch(() => undefined)
  if (text === undefined) return `EMOTION_MODEL: there is no ${file} in MODELS_DIR (${folder}); it has ${await listManifests(folder)}`
  const parsed = parseModelManifest(parseJson(text))
  if (!parsed.ok) return `EMOTION_MODEL: ${file}: ${parsed.field || 'the whole'} ${parsed.problem}`
  const { manifest } = parsed
  const bytes = await readFile(join(folder, manifest.file)).catch(() => undefined)
  if (bytes === undefined) return `EMOTION_MODEL: ${file}: /file ${manifest.file} is not in MODELS_DIR (${folder})`
  if (bytes.length !== manifest.bytes) {
    return `EMOTION_MODEL: ${file}: /bytes is ${String(manifest.bytes)}, ${manifest.file} has ${String(bytes.length)}`
  }
  const digest = createHash('sha256').update(bytes).digest('hex')
  return digest === manifest.sha256 ? undefined : `EMOTION_MODEL: ${file}: /sha256 is not the checksum of ${manifest.file}`
}

/** @param name empty for none. @returns the body of `DEFAULT_MODEL_PATH`. */
export function describeDefaultModel(name: string): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ manifest: name === '' ? null : `/models/${toManifestFile(name)}` }))
}

function toManifestFile(name: string): string {
  return name.endsWith('.json') ? name : `${name}.json`
}

async function listManifests(folder: string): Promise<string> {
  const names = await readdir(folder).catch(() => [])
  const manifests = names.filter((name) => name.endsWith('.json')).sort()
  return manifests.length === 0 ? 'none' : manifests.slice(0, 20).join(', ')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
