/**
 * carousel_api's own files, unchanged: `config_multi_plc.json` (`plc_machines`) and `config.json` (one machine). They say neither how many
 * buckets a carousel has nor how its status byte reads, so that is assumed and said; `positions`, which its documents describe, is taken.
 */
import { builtInProfile } from '../profiles/status-profile.ts'
import { DRIVERS } from '../driver-registry.ts'
import { MACHINE_LIMITS, readDriverName, readHost, readId, type MachineEntry } from './machine-entry.ts'
import type { Mistakes } from './mistakes.ts'

/** Where its documents say nothing else. */
export const ASSUMED_POSITIONS = 24
/** It lets this be left out. */
const DEFAULT_PORT = 3_200
/** What the one machine of `config.json` is called here; it has neither there. */
const SINGLE = { id: 'machine_1', name: 'Carrusel' } as const

interface Found {
  readonly mistakes: Mistakes
  readonly notes: string[]
}
type Written = Readonly<Record<string, unknown>>

export function readMultiPlc(value: unknown, found: Found): readonly MachineEntry[] {
  const items = found.mistakes.list(value, 'plc_machines', MACHINE_LIMITS.machines) ?? []
  if (Array.isArray(value) && value.length === 0) found.mistakes.add('plc_machines', 'expected at least one machine')
  return items.flatMap((item, index) => readOne(item, `plc_machines[${String(index)}]`, found) ?? [])
}

export function readSinglePlc(written: Written, found: Found): readonly MachineEntry[] {
  const { ip, port, positions, simulator_enabled: simulator } = written
  const entry = readFields({ ...SINGLE, ip, port, simulator, ...(positions === undefined ? {} : { positions }) }, 'config', found)
  return entry === undefined ? [] : [entry]
}

function readOne(value: unknown, place: string, found: Found): MachineEntry | undefined {
  const written = found.mistakes.object(value, place, undefined)
  return written === undefined ? undefined : readFields(written, place, found)
}

function readFields(written: Written, place: string, { mistakes, notes }: Found): MachineEntry | undefined {
  const before = mistakes.count()
  const { simulator = false, positions } = written
  if (typeof simulator !== 'boolean') mistakes.add(`${place}.simulator`, 'expected true or false')
  const driver = simulator === true ? 'simulated' : readDriverName('delta-as', place, mistakes)
  const id = readId(written['id'], place, mistakes)
  const name = mistakes.text(written['name'], `${place}.name`, MACHINE_LIMITS.text)
  const host = readHost(written['ip'], `${place}.ip`, mistakes)
  const port = mistakes.whole(written['port'] ?? DEFAULT_PORT, `${place}.port`, { min: 1, max: 65_535 })
  const count = positions === undefined ? ASSUMED_POSITIONS : mistakes.whole(positions, `${place}.positions`, MACHINE_LIMITS.positions)
  const incomplete = id === undefined || name === undefined || host === undefined || port === undefined
  if (incomplete || driver === undefined || count === undefined || mistakes.count() > before) return undefined
  if (positions === undefined) notes.push(`${id}: the file does not say how many buckets it has; ${String(count)} are assumed.`)
  const description: unknown = written['description']
  return {
    ...{ id, name, driver, positions: count, firstBucket: 1, firstPosition: 0, rawCodes: [], commandRoles: undefined, options: {} },
    description: typeof description === 'string' && description !== '' ? description.slice(0, 1_024) : `Máquina ${name}`,
    address: { host, port },
    profile: builtInProfile('delta_as'),
    pollMs: DRIVERS.get(driver)?.defaultPollMs ?? 1_000,
  }
}
