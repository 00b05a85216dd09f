/**
 * A hundred machines in a process of their own, each a Modbus TCP server on a port of its own: most as they should be, some that take connections and
 * never answer, some that answer late. Tells its parent the ports, and ends when that does.
 */
import { createServer } from 'node:net'
import { createSystemClock } from '../../relay/ops/system-clock.ts'
import { createSystemRandom } from '../../relay/ops/system-random.ts'
import { createModbusSimulator } from '../../relay/plc/modbus-tcp/modbus-simulator.ts'
import { builtInProfile } from '../../relay/plc/profiles/status-profile.ts'
import { createSimulatedCarousel } from '../../relay/plc/simulated/simulated-carousel.ts'
import { DEAD, HEALTHY, POSITIONS, SLOW, SLOW_MS } from './park-layout.ts'

const HOST = '127.0.0.1'
const [clock, random] = [createSystemClock(), createSystemRandom()]

process.on('disconnect', () => process.exit(0))
process.send?.([...(await startAll(HEALTHY, undefined)), ...(await startAll(SLOW, SLOW_MS)), ...(await startDead(DEAD))])

async function startAll(count: number, delayMs: number | undefined): Promise<readonly number[]> {
  const ports: number[] = []
  for (let made = 0; made < count; made += 1) {
    const carousel = createSimulatedCarousel({
      clock,
      random,
      positions: POSITIONS,
      profile: builtInProfile('delta_as'),
      wandering: 'always',
    })
    if (delayMs !== undefined) carousel.controls.setFault({ kind: 'slow', delayMs })
    ports.push(await createModbusSimulator(carousel).start({ host: HOST, port: 0 }))
  }
  return ports
}

async function startDead(count: number): Promise<readonly number[]> {
  const ports: number[] = []
  for (let made = 0; made < count; made += 1) {
    const server = createServer((socket) => socket.on('error', () => undefined).resume())
    await new Promise<void>((resolve) => server.listen(0, HOST, resolve))
    const address = server.address()
    if (typeof address === 'object' && address !== null) ports.push(address.port)
  }
  return ports
}
