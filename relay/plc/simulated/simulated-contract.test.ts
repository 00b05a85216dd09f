import { createSystemClock } from '../../ops/system-clock.ts'
import { createSeededRandom } from '#shared/testing/seeded-random'
import { describeDriver, type DriverBench } from '../testing/driver-contract.ts'
import { createSimulatedCarousel } from './simulated-carousel.ts'

const POSITIONS = 6

describeDriver({
  name: 'simulated',
  commands: ['move', 'stop', 'reset', 'calibrate', 'raw'],
  open(): Promise<DriverBench> {
    const driver = createSimulatedCarousel({
      clock: createSystemClock(),
      random: createSeededRandom(1),
      positions: POSITIONS,
      wandering: 'never',
    })
    return Promise.resolve({
      ...{ driver, positions: POSITIONS },
      truth: () => driver.read(),
      commands: () => driver.controls.commands(),
      goDown() {
        driver.controls.setFault({ kind: 'unreachable' })
        return Promise.resolve()
      },
      comeUp() {
        driver.controls.setFault(undefined)
        return Promise.resolve()
      },
      [Symbol.asyncDispose]: () => driver.stop(),
    })
  },
})
