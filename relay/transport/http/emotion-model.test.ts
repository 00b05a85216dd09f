import { createHash } from 'node:crypto'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { succeed } from '#shared/protocol/errors'
import { findEmotionModelFault } from './emotion-model.ts'
import { loadStaticFiles } from './static-files.ts'

const SHIPPED = new URL('../../../web/public/models/emotion.json', import.meta.url).pathname
let folder = ''

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'semblante-models-'))
  await writeFile(join(folder, 'index.html'), '<!doctype html>')
  await writeFile(join(folder, 'mine.onnx'), 'network')
  await writeManifest({})
})
afterEach(() => rm(folder, { recursive: true }))

async function writeManifest(change: Readonly<Record<string, unknown>>): Promise<void> {
  const shipped: unknown = JSON.parse(await readFile(SHIPPED, 'utf8'))
  if (typeof shipped !== 'object' || shipped === null) throw new Error('the manifest that ships is no object')
  const own = { file: 'mine.onnx', bytes: 7, sha256: createHash('sha256').update('network').digest('hex') }
  await writeFile(join(folder, 'mine.json'), JSON.stringify({ ...shipped, ...own, ...change }))
}

async function readDefault(modelsFolder: string, model: string): Promise<string> {
  const loaded = await loadStaticFiles(folder, modelsFolder, model)
  if (!loaded.ok) return loaded.problem === 'model_wrong' ? loaded.details : loaded.problem
  const answer = loaded.files.find('/models/default.json', {
    method: 'GET',
    path: '/models/default.json',
    query: new URLSearchParams(),
    headers: new Map(),
    remoteAddress: '',
    readBody: () => Promise.resolve(succeed(new Uint8Array())),
    onGone: () => undefined,
  })
  return answer === undefined ? 'nothing' : Buffer.from(answer.body).toString('utf8')
}

describe('the network that pages take by default', () => {
  it.each(['mine', 'mine.json'])('[EM1] tells pages the manifest of the network that is set: %s', async (name) => {
    expect(await readDefault(folder, name)).toBe('{"manifest":"/models/mine.json"}')
  })

  it('[EM2] tells pages to take their own where none is set, with and without a folder', async () => {
    expect(await readDefault(folder, '')).toBe('{"manifest":null}')
    expect(await readDefault('', '')).toBe('{"manifest":null}')
  })

  it('[EM3] a wrong name is told with the names there are', async () => {
    await copyFile(join(folder, 'mine.json'), join(folder, 'other.json'))
    expect(await readDefault(folder, 'mien')).toBe(
      `EMOTION_MODEL: there is no mien.json in MODELS_DIR (${folder}); it has mine.json, other.json`,
    )
    expect(await findEmotionModelFault('', 'mine')).toMatch(/^EMOTION_MODEL is mine, but MODELS_DIR/)
  })

  it.each([
    ['/sha256', { sha256: 'b'.repeat(64) }],
    ['/bytes', { bytes: 12 }],
    ['/file', { file: 'nothing.onnx' }],
    ['/classes', { classes: ['happiness'] }],
    ['/crop', { crop: 1 }],
  ])('[EM4] a network that is not what its manifest says keeps the relay from starting, naming the field: %s', async (field, change) => {
    await writeManifest(change)
    expect(await readDefault(folder, 'mine')).toMatch(new RegExp(`^EMOTION_MODEL: mine\\.json: ${field}`))
  })
})
