/**
 * `npm run bench:relay`: the whole relay beside bare uWebSockets.js, ws, Socket.IO, nats-server and Mosquitto. A whole run writes
 * `results.json` and `RESULTS.md` beside this file.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { availableParallelism, cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import type { Contestant } from './contestant.ts'
import { parseOptions, USAGE, type Options } from './options.ts'
import { type Attempt, type RelayResults, type Row, type Table, toFigures } from './results.ts'
import { runJob } from './run-job.ts'
import { toScenario, type ScenarioName } from './scenarios.ts'
import { canPin, findProgram, ROOT } from './server-process.ts'
import { toMarkdown } from './summary.ts'
import { PAYLOAD } from './wire/wire.ts'

/** A young generation that stays small: tens of megabytes that come and go would hide what connections keep. */
const IDLE_ARGUMENTS = ['--max-semi-space-size=1']

const options = parseOptions(process.argv.slice(2))
if (options === undefined) {
  console.error(USAGE)
  process.exitCode = 2
} else {
  const results = await measure(options)
  const markdown = toMarkdown(results)
  console.log(markdown)
  if (options.isWhole) {
    await writeFile(join(ROOT, 'bench/relay/results.json'), `${JSON.stringify(results, null, 2)}\n`)
    await writeFile(join(ROOT, 'bench/relay/RESULTS.md'), markdown)
  }
}

async function measure({ isQuick, rounds, contestants, scenarios }: Options): Promise<RelayResults> {
  const loadBefore = loadavg()[0] ?? 0
  const tables = scenarios.map((scenario) => ({ scenario, rows: toRows(contestants, scenario) }))
  for (let round = 1; round <= rounds; round += 1) {
    for (const { scenario, rows } of tables) {
      // Memory is not disturbed by neighbours, and takes long.
      if (scenario === 'idle' && round > 1) continue
      for (const row of rows) {
        const attempt = await attemptOnce(row.contestant, scenario, isQuick)
        row.attempts.push(attempt)
        tell(`round ${String(round)}, ${scenario}, ${row.contestant.name}`, attempt)
      }
    }
  }
  return {
    machine: {
      cpu: cpus()[0]?.model ?? 'unknown processor',
      cores: availableParallelism(),
      node: process.versions.node,
      isPinned: canPin(),
      load: [loadBefore, loadavg()[0] ?? 0],
    },
    versions: readVersions(),
    rounds,
    payloadBytes: PAYLOAD.length,
    tables: tables.map(({ scenario, rows }): Table => {
      const { connections } = toScenario(scenario, isQuick)
      return { scenario, connections, rows: rows.map(toRow) }
    }),
  }
}

interface OpenRow {
  readonly contestant: Contestant
  readonly attempts: Attempt[]
}

function toRows(contestants: readonly Contestant[], scenario: ScenarioName): readonly OpenRow[] {
  return contestants
    .filter(({ takesPartIn }) => takesPartIn?.includes(scenario) ?? true)
    .map((contestant) => ({ contestant, attempts: [] }))
}

function toRow({ contestant: { name, title, echo }, attempts }: OpenRow): Row {
  return { contestant: name, title, echo, attempts }
}

/** A server of its own for each, so that nobody inherits another scenario's heap. */
async function attemptOnce(contestant: Contestant, scenario: ScenarioName, isQuick: boolean): Promise<Attempt> {
  try {
    const server = await contestant.start(scenario === 'idle' ? IDLE_ARGUMENTS : [])
    if (server === undefined) return { state: 'not installed' }
    try {
      const { access, pid: serverPid, collectsOnSignal } = server
      const result = await runJob({
        contestant: contestant.name,
        access,
        serverPid,
        collectsOnSignal,
        scenario: toScenario(scenario, isQuick),
      })
      return result.ok ? { state: 'measured', sample: result.sample } : { state: 'failed', problem: result.problem }
    } finally {
      await server.stop()
    }
  } catch (error) {
    return { state: 'failed', problem: error instanceof Error ? error.message : String(error) }
  }
}

function tell(what: string, attempt: Attempt): void {
  if (attempt.state !== 'measured') {
    console.error(`${what}: ${attempt.state === 'failed' ? attempt.problem : attempt.state}`)
    return
  }
  const { serverUs, memory } = toFigures({ contestant: '', title: '', echo: '', attempts: [attempt] })
  const figure = Number.isNaN(memory.idleBytes) ? `${serverUs.toFixed(2)} µs` : `${memory.idleBytes.toFixed(0)} bytes`
  console.error(`${what}: ${figure}`)
}

/** What took part, as it names itself. */
function readVersions(): Record<string, string> {
  const versions: Record<string, string> = {}
  for (const name of ['uWebSockets.js', 'ws', 'socket.io']) {
    const version = /"version": "([^"]+)"/.exec(readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8'))?.[1]
    if (version !== undefined) versions[name] = version
  }
  for (const [name, flag] of [
    ['nats-server', '--version'],
    ['mosquitto', '-h'],
  ] as const) {
    const version = /\d+\.\d+\.\d+/.exec(askVersion(name, flag))?.[0]
    if (version !== undefined) versions[name] = version
  }
  return versions
}

function askVersion(name: string, flag: string): string {
  const command = findProgram(name)
  if (command === undefined) return ''
  try {
    return execFileSync(command, [flag], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  } catch (error) {
    // Mosquitto prints its help and leaves with a code of its own.
    return error instanceof Error && 'stdout' in error ? String(error.stdout) : ''
  }
}
