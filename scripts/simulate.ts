/** `npm run simulate -- --protocol modbus-tcp --port 1502`: one carousel behind a real server of that protocol, until Ctrl+C. */
import { parseArgs } from 'node:util'
import { createSystemClock } from '../relay/ops/system-clock.ts'
import { createSystemRandom } from '../relay/ops/system-random.ts'
import { SIMULATED_PROTOCOLS, startSimulation, USUAL_PORTS } from '../relay/plc/simulate.ts'

const HELP = `npm run simulate -- --protocol ${SIMULATED_PROTOCOLS.join('|')} [--port N] [--host 127.0.0.1] [--positions 6]`

async function run(): Promise<void> {
  const { values } = parseArgs({
    options: { protocol: { type: 'string' }, port: { type: 'string' }, host: { type: 'string' }, positions: { type: 'string' } },
  })
  const protocol = SIMULATED_PROTOCOLS.find((known) => known === values.protocol)
  const positions = readWhole(values.positions ?? '6', 2, 1_024)
  const port = protocol === undefined ? undefined : readWhole(values.port ?? String(USUAL_PORTS[protocol]), 0, 65_535)
  if (protocol === undefined || positions === undefined || port === undefined) {
    giveUp(HELP)
    return
  }
  const host = values.host ?? '127.0.0.1'
  const [clock, random] = [createSystemClock(), createSystemRandom()]
  const simulation = await startSimulation({ protocol, host, port, positions, clock, random })
  console.log(`A carousel with ${String(positions)} buckets speaks ${protocol} at ${host}:${String(simulation.port)}. Ctrl+C ends it.`)
  console.log(
    `To see it, save this and start the relay with MACHINES_FILE naming it:\n${JSON.stringify(simulation.machinesFile, undefined, 2)}`,
  )
  const stop = (): void => void simulation.stop().then(() => process.exit(0))
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
}

function readWhole(text: string, min: number, max: number): number | undefined {
  const number = Number(text)
  return /^\d+$/.test(text) && number >= min && number <= max ? number : undefined
}

function giveUp(sentence: string): void {
  console.error(sentence)
  process.exitCode = 1
}

try {
  await run()
} catch (error) {
  giveUp(`${error instanceof Error ? error.message : String(error)}\n${HELP}`)
}
