/**
 * What the networks cost and nothing else: the runs that reading one camera frame causes, with the inputs ready, again and again on
 * onnxruntime-node in one thread. A program of its own: `tsx bare-sessions.ts ROUNDS` writes one line of JSON.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as ort from 'onnxruntime-node'
import sharp from 'sharp'
import { convertFaceDetector } from '../../scripts/convert-face-detector.ts'
import { createFacePipeline } from '#shared/vision/face-pipeline'
import { parseModelManifest } from '#shared/vision/model-manifest'
import { ROOT } from '../relay/server-process.ts'
import { makePictures } from './bench-pictures.ts'
import type { BareFigures } from './results.ts'

interface Run {
  readonly session: ort.InferenceSession
  readonly feeds: Readonly<Record<string, ort.Tensor>>
}

const WARM_UP = 20
const MODELS = join(ROOT, 'web/public/models')
const OPTIONS: ort.InferenceSession.SessionOptions = {
  executionProviders: ['cpu'],
  graphOptimizationLevel: 'all',
  executionMode: 'sequential',
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
}

const runs = await recordRuns()
await repeat(WARM_UP)
console.log(JSON.stringify(await measure(Number(process.argv[2] ?? 100))))

/** Reads the frame once and keeps what the networks were given. */
async function recordRuns(): Promise<readonly Run[]> {
  await convertFaceDetector(MODELS)
  const parsed = parseModelManifest(JSON.parse(await readFile(join(MODELS, 'emotion.json'), 'utf8')))
  if (!parsed.ok) throw new Error(parsed.problem)
  const { manifest } = parsed
  const detector = await ort.InferenceSession.create(join(MODELS, 'blazeface.onnx'), OPTIONS)
  const classifier = await ort.InferenceSession.create(join(MODELS, manifest.file), OPTIONS)
  const recorded: Run[] = []
  async function run(session: ort.InferenceSession, name: string, tensor: ort.Tensor): Promise<ort.InferenceSession.ReturnType> {
    const feeds = { [name]: tensor }
    recorded.push({ session, feeds })
    return session.run(feeds)
  }
  const pipeline = createFacePipeline({
    networks: {
      async detect({ input, count, width, height }) {
        const outputs = await run(detector, 'input', new ort.Tensor('float32', input.slice(), [count, 3, height, width]))
        return { scores: toFloats(outputs['scores']), boxes: toFloats(outputs['boxes']) }
      },
      async classify({ input, dims }) {
        const outputs = await run(classifier, manifest.input.name, new ort.Tensor('float32', input.slice(), dims))
        return toFloats(outputs[manifest.output.name])
      },
    },
    ...{ manifest, maxFaces: 16, findEveryMs: 0, smoothingMs: 0, now: () => performance.now() },
  })
  const { data, info } = await sharp((await makePictures()).frame)
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
  const { faces } = await pipeline.analyse({ width: info.width, height: info.height, data }, 0)
  if (faces.length !== 1) throw new Error(`found ${String(faces.length)} faces in the frame`)
  return recorded
}

async function repeat(rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) for (const { session, feeds } of runs) await session.run(feeds)
}

async function measure(rounds: number): Promise<BareFigures> {
  const before = process.cpuUsage()
  const startedAt = performance.now()
  await repeat(rounds)
  const wallMs = performance.now() - startedAt
  const { user, system } = process.cpuUsage(before)
  return { runsPerPicture: runs.length, wallMs: wallMs / rounds, processorMs: (user + system) / 1000 / rounds }
}

function toFloats(tensor: ort.Tensor | undefined): Float32Array {
  if (tensor?.data instanceof Float32Array) return tensor.data
  throw new Error('the network answered with something else than float32')
}
