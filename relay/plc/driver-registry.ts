/**
 * THE list of drivers: what each is called in a machines file, what it needs to be told, and where it is. A driver's code, and the library it stands
 * on, is loaded when a machine of its kind is first opened.
 */
import { checkDeltaAsOptions, readAnswerBytes } from './delta-as/delta-as-options.ts'
import type { DriverEntry, DriverSetup } from './driver-entry.ts'
import { checkModbusOptions, parseModbusOptions } from './modbus-tcp/modbus-options.ts'
import { checkOpcuaOptions, parseOpcuaOptions } from './opcua/opcua-options.ts'
import { checkS7Options, parseS7Options } from './s7/s7-options.ts'
import { checkSimulatedOptions, readWandering } from './simulated/simulated-options.ts'

export const DRIVERS: ReadonlyMap<string, DriverEntry> = new Map<string, DriverEntry>([
  [
    'simulated',
    {
      needsAddress: false,
      defaultPort: undefined,
      defaultPollMs: 250,
      checkOptions: checkSimulatedOptions,
      async open({ positions, profile, options }, { clock, random }) {
        const { createSimulatedCarousel } = await import('./simulated/simulated-carousel.ts')
        return createSimulatedCarousel({ clock, random, positions, profile, wandering: readWandering(options) })
      },
    },
  ],
  [
    'delta-as',
    {
      needsAddress: true,
      defaultPort: 3_200,
      defaultPollMs: 500,
      checkOptions: checkDeltaAsOptions,
      async open(setup, { clock, random }) {
        const { createDeltaAsDriver } = await import('./delta-as/delta-as-driver.ts')
        const { positions, firstPosition, profile, options } = setup
        const answerLength = readAnswerBytes(options)
        return createDeltaAsDriver({
          ...addressOf(setup),
          ...{ positions, firstPosition, profile, clock, random },
          ...(answerLength === undefined ? {} : { answerLength }),
        })
      },
    },
  ],
  [
    'modbus-tcp',
    {
      needsAddress: true,
      defaultPort: 502,
      defaultPollMs: 500,
      checkOptions: checkModbusOptions,
      async open(setup, { clock, random }) {
        const { createModbusDriver } = await import('./modbus-tcp/modbus-driver.ts')
        const parsed = parseModbusOptions(setup.options)
        if (!parsed.ok) throw new Error(parsed.mistakes.join(' '))
        const { positions, firstPosition, profile } = setup
        return createModbusDriver({ ...addressOf(setup), ...{ positions, firstPosition, profile, clock, random }, ...parsed.options })
      },
    },
  ],
  [
    's7',
    {
      needsAddress: true,
      defaultPort: 102,
      defaultPollMs: 500,
      checkOptions: checkS7Options,
      async open(setup, { clock, random }) {
        const { createS7Driver } = await import('./s7/s7-driver.ts')
        const parsed = parseS7Options(setup.options)
        if (!parsed.ok) throw new Error(parsed.mistakes.join(' '))
        const { positions, firstPosition, profile } = setup
        return createS7Driver({ ...addressOf(setup), ...{ positions, firstPosition, profile, clock, random }, ...parsed.options })
      },
    },
  ],
  [
    'opcua',
    {
      needsAddress: true,
      defaultPort: 4_840,
      // Reading is looking at what the server told: it costs no message.
      defaultPollMs: 100,
      checkOptions: checkOpcuaOptions,
      async open(setup, { clock, random }) {
        const { createOpcuaDriver } = await import('./opcua/opcua-driver.ts')
        const parsed = parseOpcuaOptions(setup.options)
        if (!parsed.ok) throw new Error(parsed.mistakes.join(' '))
        const { positions, firstPosition, profile } = setup
        return createOpcuaDriver({ ...addressOf(setup), ...{ positions, firstPosition, profile, clock, random }, ...parsed.options })
      },
    },
  ],
])

/** Machines files are checked before drivers are opened, so one that needs an address has one. */
function addressOf({ machine, address }: DriverSetup): { readonly host: string; readonly port: number } {
  if (address === undefined) throw new Error(`${machine} has no address`)
  return address
}
