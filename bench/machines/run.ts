/**
 * `npm run bench:machines`: whether a hundred machines, some of them dead and some slow, are felt by those who publish and hear, and how old what is
 * known of the sound ones gets. Writes `results.json` and `RESULTS.md` beside this file. `--quick` runs one short round and writes nothing.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { acquireToken } from '#shared/client/acquire-session'
import { MODBUS_LAYOUT } from '../../relay/plc/modbus-tcp/modbus-simulator.ts'
import { quantile } from '../inference/results.ts'
import type { RunningServer } from '../relay/contestant.ts'
import { startCost } from '../relay/measure.ts'
import { canPin, NODE_ARGUMENTS, ROOT, SERVER_ARGUMENTS, spawnPinned, startServer, stopChild } from '../relay/server-process.ts'
import { findFreePort } from '../../scripts/free-port.ts'
import { HEALTHY, POLL_MS, POSITIONS } from './park-layout.ts'
import { measureFanOut, openWatcher, pause } from './relay-clients.ts'
import { toMarkdown, VARIANTS, type MachineFigures, type MachinesResults, type RoundFigures, type Variant } from './results.ts'

const isQuick = process.argv.includes('--quick')
const ROUNDS = isQuick ? 1 : 3
const LOAD = { subscribers: 20, perSecond: 50, durationMs: isQuick ? 2_000 : 8_000 }
const WARM_UP = { ...LOAD, durationMs: 2_000 }
const LOOKS = isQuick ? 10 : 40
const LOOK_MS = 97
const PARK_MS = 60_000
const READY_MS = 60_000

const SETTINGS = {
  HOST: '127.0.0.1',
  LOG_LEVEL: 'error',
  ANONYMOUS_ROLES: 'viewer,station',
  MESSAGES_PER_SECOND: '1000000',
  NEW_SESSIONS_PER_MINUTE: '1000',
}

const results = await measure()
console.log(toMarkdown(results))
if (!isQuick) {
  await writeFile(join(ROOT, 'bench/machines/results.json'), `${JSON.stringify(results, null, 2)}\n`)
  await writeFile(join(ROOT, 'bench/machines/RESULTS.md'), toMarkdown(results))
}

async function measure(): Promise<MachinesResults> {
  const load = [loadavg()[0] ?? 0]
  const folder = await mkdtemp(join(tmpdir(), 'bench-machines-'))
  await writeFile(join(folder, 'index.html'), '<!doctype html><title>bench</title>')
  const park = spawnPinned(1, [process.execPath, ...NODE_ARGUMENTS, 'bench/machines/machine-park.ts'], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const rounds: Record<Variant, RoundFigures[]> = { alone: [], beside: [], with: [] }
  const machines: MachineFigures[] = []
  try {
    const ports = await new Promise<readonly number[]>((resolve, reject) => {
      setTimeout(() => reject(new Error('the machines did not start')), PARK_MS).unref()
      park.once('exit', (code) => reject(new Error(`the machines ended with ${String(code)}`)))
      park.once('message', (message: unknown) => resolve(Array.isArray(message) ? message.map(Number) : []))
    })
    for (let round = 1; round <= ROUNDS; round += 1) {
      for (let turn = 0; turn < VARIANTS.length; turn += 1) {
        const variant = VARIANTS[(round + turn) % VARIANTS.length] ?? 'alone'
        const found = await runOnce(folder, variant, ports)
        rounds[variant].push(found.figures)
        if (found.machines !== undefined) machines.push(found.machines)
        console.error(`round ${String(round)}, ${variant}`, found)
      }
    }
  } finally {
    await stopChild(park)
    await rm(folder, { recursive: true, force: true })
  }
  load.push(loadavg()[0] ?? 0)
  const cpu = cpus()[0]?.model ?? 'unknown processor'
  const machine = { cpu, cores: availableParallelism(), node: process.versions.node, isPinned: canPin(), load }
  return { machine, load: LOAD, rounds, machines }
}

interface Found {
  readonly figures: RoundFigures
  /** Where the relay that is measured reads them. */
  readonly machines: MachineFigures | undefined
}

async function runOnce(folder: string, variant: Variant, ports: readonly number[]): Promise<Found> {
  const readsThem = variant === 'with'
  const beside = variant === 'beside' ? await startRelay(folder, ports) : undefined
  const server = await startRelay(folder, readsThem ? ports : [])
  try {
    const reader = readsThem ? server : beside
    if (reader !== undefined) await waitForMachines(reader)
    await measureFanOut(server.access, WARM_UP)
    const stop = startCost(server.pid)
    const latencies = await measureFanOut(server.access, LOAD)
    const { wallMs, server: used } = stop()
    const figures = { p50Ms: quantile(latencies, 0.5), p99Ms: quantile(latencies, 0.99), busy: (used.userMs + used.systemMs) / wallMs }
    return { figures, machines: readsThem ? await lookAtMachines(server) : undefined }
  } finally {
    await Promise.all([server.stop(), beside?.stop()])
  }
}

function toEntry(port: number, index: number): unknown {
  const id = `${index < HEALTHY ? 'sound' : 'other'}-${String(index)}`
  const address = { host: '127.0.0.1', port }
  return { id, name: id, driver: 'modbus-tcp', address, positions: POSITIONS, pollMs: POLL_MS, options: MODBUS_LAYOUT }
}

async function startRelay(folder: string, ports: readonly number[]): Promise<RunningServer> {
  const port = await findFreePort()
  const machinesFile = join(folder, `machines-${String(port)}.json`)
  await writeFile(machinesFile, JSON.stringify({ machines: ports.map(toEntry) }))
  const server = await startServer({
    command: process.execPath,
    commandArguments: [...SERVER_ARGUMENTS, 'relay/main.ts'],
    port,
    environment: { ...SETTINGS, PORT: String(port), STATIC_DIR: folder, MACHINES_FILE: machinesFile },
  })
  return { ...server, access: { port, token: await acquireToken(`http://127.0.0.1:${String(port)}`) } }
}

async function waitForMachines(server: RunningServer): Promise<void> {
  const watcher = await openWatcher(server.access)
  const until = performance.now() + READY_MS
  for (;;) {
    const sound = (await watcher.look()).filter(({ machine, isGood }) => machine.startsWith('sound') && isGood)
    if (sound.length === HEALTHY) break
    if (performance.now() > until) throw new Error(`only ${String(sound.length)} machines were read`)
    await pause(LOOK_MS)
  }
  watcher.close()
}

async function lookAtMachines(server: RunningServer): Promise<MachineFigures> {
  const watcher = await openWatcher(server.access)
  const ages: number[] = []
  let good = 0
  for (let look = 0; look < LOOKS; look += 1) {
    for (const { machine, isGood, ageMs } of await watcher.look()) {
      if (!machine.startsWith('sound')) continue
      ages.push(ageMs)
      if (isGood) good += 1
    }
    await pause(LOOK_MS)
  }
  watcher.close()
  const [p50AgeMs, p99AgeMs] = [quantile(ages, 0.5), quantile(ages, 0.99)]
  return { p50AgeMs, p99AgeMs, worstAgeMs: Math.max(...ages), good: good / ages.length }
}
