/** The library need not be installed. */
import { describe, expect, it, vi } from 'vitest'
import { createSeededRandom } from '#shared/testing/seeded-random'
import { createSystemClock } from '../../ops/system-clock.ts'
import { builtInProfile } from '../profiles/status-profile.ts'
import { createOpcuaDriver } from './opcua-driver.ts'
import { parseOpcuaOptions } from './opcua-options.ts'
import { OPCUA_LAYOUT } from './opcua-simulator.ts'

vi.mock('node-opcua-client', () => {
  throw new Error("Cannot find package 'node-opcua-client'")
})

describe('OPC UA driver without its library', () => {
  it('[OL1] says what to install, in the reason that people see', async () => {
    const parsed = parseOpcuaOptions(OPCUA_LAYOUT)
    if (!parsed.ok) throw new Error(parsed.mistakes.join(' '))
    const place = { host: '127.0.0.1', port: 4_840, positions: 6, firstPosition: 0, profile: builtInProfile('delta_as') }
    const driver = createOpcuaDriver({ ...place, ...parsed.options, clock: createSystemClock(), random: createSeededRandom(1) })
    await driver.start()
    const read = await driver.read()
    expect(read.ok ? '' : read.problem).toContain('npm install node-opcua-client@')
    await driver.stop()
  })
})
