/**
 * `npm run bench:inference`: how fast a whole relay reads pictures, beside the bare runs of the networks, and whether its memory stays flat.
 * Writes `results.json` and `RESULTS.md` beside this file. `--quick` runs a tenth of it and writes nothing.
 */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { acquireToken } from '#shared/client/acquire-session'
import { convertFaceDetector } from '../../scripts/convert-face-detector.ts'
import type { RunningServer } from '../relay/contestant.ts'
import { readResidentBytes, startCost } from '../relay/measure.ts'
import { canPin, NODE_ARGUMENTS, ROOT, SERVER_ARGUMENTS, spawnPinned, startServer } from '../relay/server-process.ts'
import { findFreePort } from '../../scripts/free-port.ts'
import { makePictures } from './bench-pictures.ts'
import { sendPictures, type Load } from './picture-clients.ts'
import { type BareFigures, type InferenceResults, type LoadFigures, type MemorySample, quantile, toMarkdown } from './results.ts'

const isQuick = process.argv.includes('--quick')
const ROUNDS = isQuick ? 1 : 3
const BARE_ROUNDS = isQuick ? 20 : 150
const PICTURES = isQuick ? 32 : 192
const MEMORY_PICTURES = isQuick ? 1_000 : 10_000
const MEMORY_STEPS = 10
const MEMORY_CLIENTS = 8
const GARBAGE_MS = 500
const BARE_LIMIT_MS = 120_000

const SETTINGS = {
  HOST: '127.0.0.1',
  LOG_LEVEL: 'error',
  INFERENCE_THREADS: '1',
  ANONYMOUS_ROLES: 'viewer',
  MESSAGES_PER_SECOND: '1000000',
  BYTES_PER_SECOND: '1000000000',
  NEW_SESSIONS_PER_MINUTE: '1000',
}

const results = await measure()
console.log(toMarkdown(results))
if (!isQuick) {
  await writeFile(join(ROOT, 'bench/inference/results.json'), `${JSON.stringify(results, null, 2)}\n`)
  await writeFile(join(ROOT, 'bench/inference/RESULTS.md'), toMarkdown(results))
}

async function measure(): Promise<InferenceResults> {
  await convertFaceDetector(join(ROOT, 'web/public/models'))
  const load = [loadavg()[0] ?? 0]
  const { frame, crop, thumbnail } = await makePictures()
  const rows = [
    ...[1, 8, 32].map((clients) => ({ title: 'frame', clients, picture: frame, rounds: noFigures() })),
    { title: 'crop', clients: 8, picture: crop, rounds: noFigures() },
  ]
  const bare: BareFigures[] = []
  const server = await startRelay()
  const memory: MemorySample[] = [await sampleMemory(server, 0)]
  try {
    await sendPictures(server.access, { clients: 1, pictures: 20, picture: frame })
    for (let round = 1; round <= ROUNDS; round += 1) {
      const figures = await runBare()
      bare.push(figures)
      for (const row of rows) {
        row.rounds.push(await runLoad(server, { ...row, pictures: PICTURES }, figures))
        console.error(`round ${String(round)}, ${row.title}, ${String(row.clients)} clients`, row.rounds.at(-1))
      }
    }
    for (let step = 1; step <= MEMORY_STEPS; step += 1) {
      await sendPictures(server.access, { clients: MEMORY_CLIENTS, pictures: MEMORY_PICTURES / MEMORY_STEPS, picture: thumbnail })
      memory.push(await sampleMemory(server, (step * MEMORY_PICTURES) / MEMORY_STEPS))
      console.error('memory', memory.at(-1))
    }
  } finally {
    await server.stop()
  }
  load.push(loadavg()[0] ?? 0)
  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown processor',
    cores: availableParallelism(),
    node: process.versions.node,
    isPinned: canPin(),
    load,
  }
  const told = rows.map(({ picture, ...row }) => ({ ...row, pictureBytes: picture.length }))
  return { machine, versions: readVersions(), bare, rows: told, memory }
}

function noFigures(): LoadFigures[] {
  return []
}

async function startRelay(): Promise<RunningServer> {
  const port = await findFreePort()
  const page = await mkdtemp(join(tmpdir(), 'bench-page-'))
  await writeFile(join(page, 'index.html'), '<!doctype html><title>bench</title>')
  const server = await startServer({
    command: process.execPath,
    commandArguments: [...SERVER_ARGUMENTS, 'relay/main.ts'],
    port,
    collectsOnSignal: true,
    environment: { ...SETTINGS, PORT: String(port), STATIC_DIR: page },
  })
  const token = await acquireToken(`http://127.0.0.1:${String(port)}`)
  return {
    ...server,
    access: { port, token },
    async stop() {
      await server.stop()
      await rm(page, { recursive: true, force: true })
    },
  }
}

/** On the core that the relay has. */
async function runBare(): Promise<BareFigures> {
  const child = spawnPinned(0, [process.execPath, ...NODE_ARGUMENTS, 'bench/inference/bare-sessions.ts', String(BARE_ROUNDS)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), BARE_LIMIT_MS)
  let text = ''
  child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')))
  await once(child, 'close')
  clearTimeout(timer)
  const figures: unknown = JSON.parse(text)
  if (isBareFigures(figures)) return figures
  throw new Error(`the bare runs answered ${text}`)
}

async function runLoad(server: RunningServer, load: Load, bare: BareFigures): Promise<LoadFigures> {
  const stop = startCost(server.pid)
  const { latencies, processingMs } = await sendPictures(server.access, load)
  const cost = stop()
  const processorMs = (cost.server.userMs + cost.server.systemMs) / latencies.length
  return {
    perSecond: (latencies.length / cost.wallMs) * 1000,
    p50Ms: quantile(latencies, 0.5),
    p95Ms: quantile(latencies, 0.95),
    processingMs: quantile(processingMs, 0.5),
    processorMs,
    ofBare: bare.processorMs / processorMs,
  }
}

async function sampleMemory({ pid }: RunningServer, pictures: number): Promise<MemorySample> {
  process.kill(pid, 'SIGUSR2')
  await new Promise((resolve) => setTimeout(resolve, GARBAGE_MS))
  return { pictures, residentBytes: readResidentBytes(pid) ?? Number.NaN }
}

function readVersions(): Record<string, string> {
  const read = (name: string): string => {
    const described: unknown = JSON.parse(readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8'))
    return typeof described === 'object' && described !== null && 'version' in described ? String(described.version) : 'unknown'
  }
  return Object.fromEntries(['onnxruntime-node', 'sharp'].map((name) => [name, read(name)]))
}

function isBareFigures(value: unknown): value is BareFigures {
  return typeof value === 'object' && value !== null && 'runsPerPicture' in value && 'wallMs' in value && 'processorMs' in value
}
