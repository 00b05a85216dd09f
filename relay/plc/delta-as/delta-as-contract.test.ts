import { createSeededRandom } from '#shared/testing/seeded-random'
import { createSystemClock } from '../../ops/system-clock.ts'
import { builtInProfile } from '../profiles/status-profile.ts'
import { createSimulatedCarousel } from '../simulated/simulated-carousel.ts'
import { describeDriver, type DriverBench } from '../testing/driver-contract.ts'
import { createDeltaAsDriver } from './delta-as-driver.ts'
import { createDeltaAsSimulator } from './delta-as-simulator.ts'
import type { AnswerLength } from './delta-frame.ts'

const clock = createSystemClock()
const profile = builtInProfile('delta_as')
const POSITIONS = 6
const REFUSAL_MS = 20

async function open(answerLength: AnswerLength): Promise<DriverBench> {
  const machine = createSimulatedCarousel({ clock, random: createSeededRandom(1), positions: POSITIONS, profile, wandering: 'never' })
  const create = () => createDeltaAsSimulator({ machine, answerLength, refusalMs: REFUSAL_MS, clock })
  let simulator = create()
  const port = await simulator.start({ host: '127.0.0.1', port: 0 })
  const driver = createDeltaAsDriver({
    ...{ host: '127.0.0.1', port, positions: POSITIONS, firstPosition: 0, profile, answerLength, clock, random: createSeededRandom(2) },
    times: { answerMs: 150, quietMs: 15, refusalMs: REFUSAL_MS * 2, maxRefusalMs: 100, connectMs: 1_000 },
  })
  return {
    ...{ driver, positions: POSITIONS },
    truth: () => machine.read(),
    commands: () => machine.controls.commands(),
    goDown: () => simulator.stop(),
    async comeUp() {
      simulator = create()
      await simulator.start({ host: '127.0.0.1', port })
    },
    async [Symbol.asyncDispose]() {
      await driver.stop()
      await simulator.stop()
    },
  }
}

for (const answerLength of [200, 2] as const) {
  describeDriver({
    name: `delta-as, ${String(answerLength)} bytes`,
    open: () => open(answerLength),
    commands: ['move', 'stop', 'reset', 'calibrate', 'raw'],
  })
}
