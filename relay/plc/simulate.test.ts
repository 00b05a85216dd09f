import { describe, expect, it } from 'vitest'
import { createKeptLog } from '#shared/testing/kept-log'
import { createSeededRandom } from '#shared/testing/seeded-random'
import { createSystemClock } from '../ops/system-clock.ts'
import { DRIVERS } from './driver-registry.ts'
import { parseMachinesText } from './machines-file/parse-machines.ts'
import { SIMULATED_PROTOCOLS, startSimulation } from './simulate.ts'
import { readUntilGood } from './testing/driver-contract.ts'

describe('simulations', () => {
  it.each(SIMULATED_PROTOCOLS)(
    '[PS1] %s: the machines file it prints is read without a mistake, and its driver finds the machine',
    async (protocol) => {
      const [clock, random] = [createSystemClock(), createSeededRandom(1)]
      const simulation = await startSimulation({ protocol, host: '127.0.0.1', port: 0, positions: 6, clock, random })
      const parsed = parseMachinesText(JSON.stringify(simulation.machinesFile))
      if (!parsed.ok) throw new Error(parsed.mistakes.join(' '))
      const [machine] = parsed.parsed.machines
      if (machine === undefined) throw new Error('no machine')
      const driver = await DRIVERS.get(machine.driver)?.open({ ...machine, machine: machine.id }, { clock, random, log: createKeptLog() })
      if (driver === undefined) throw new Error('no driver')
      await driver.start()
      expect(await readUntilGood(driver)).toMatchObject({ positions: 6, mode: 'remote' })
      await driver.stop()
      await simulation.stop()
    },
  )
})
