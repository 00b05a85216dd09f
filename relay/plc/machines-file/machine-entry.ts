/** One machine as it was written, checked, with everything that was left out filled in. */
import { ROLES, type Role } from '../../ports.ts'
import type { DriverEntry, DriverOptions } from '../driver-entry.ts'
import { DRIVERS } from '../driver-registry.ts'
import { builtInProfile, parseProfile, type StatusProfile } from '../profiles/status-profile.ts'
import type { Mistakes } from './mistakes.ts'

export interface MachineEntry {
  readonly id: string
  readonly name: string
  readonly description: string | undefined
  readonly driver: string
  readonly address: { readonly host: string; readonly port: number } | undefined
  readonly profile: StatusProfile
  readonly positions: number
  readonly firstBucket: number
  readonly firstPosition: number
  readonly pollMs: number
  readonly rawCodes: readonly number[]
  readonly commandRoles: readonly Role[] | undefined
  readonly options: DriverOptions
}

export const MACHINE_LIMITS = { positions: { min: 2, max: 1_024 }, pollMs: { min: 50, max: 600_000 }, machines: 500, text: 128 } as const

const FIELDS = [
  'id',
  'name',
  'description',
  'driver',
  'address',
  'profile',
  'positions',
  'firstBucket',
  'firstPosition',
  'pollMs',
  'rawCodes',
  'commandRoles',
  'options',
] as const

/** A level of a topic, and what carousel_api takes as an id. */
const ID = /^[A-Za-z0-9_-]{1,64}$/
/** A host name, an IPv4 or an IPv6 address. */
const HOST = /^[A-Za-z0-9_.:-]{1,253}$/

/** Undefined when there was a mistake; each is in `mistakes`. */
export function readMachine(value: unknown, place: string, mistakes: Mistakes): MachineEntry | undefined {
  const before = mistakes.count()
  const written = mistakes.object(value, place, FIELDS)
  if (written === undefined) return undefined
  const driverName = readDriverName(written['driver'], place, mistakes)
  const driver = driverName === undefined ? undefined : DRIVERS.get(driverName)
  const id = readId(written['id'], place, mistakes)
  const entry = {
    id: id ?? '',
    name: mistakes.text(written['name'], `${place}.name`, MACHINE_LIMITS.text) ?? '',
    description: written['description'] === undefined ? undefined : mistakes.text(written['description'], `${place}.description`, 1_024),
    driver: driverName ?? '',
    address: driver === undefined ? undefined : readAddress(written['address'], { place: `${place}.address`, driver, mistakes }),
    profile: readProfile(written['profile'], `${place}.profile`, mistakes),
    positions: mistakes.whole(written['positions'], `${place}.positions`, MACHINE_LIMITS.positions) ?? 0,
    firstBucket:
      written['firstBucket'] === undefined ? 1 : (mistakes.whole(written['firstBucket'], `${place}.firstBucket`, { min: 0, max: 1 }) ?? 1),
    firstPosition:
      written['firstPosition'] === undefined
        ? 0
        : (mistakes.whole(written['firstPosition'], `${place}.firstPosition`, { min: 0, max: 1 }) ?? 0),
    pollMs: readPoll(written['pollMs'], { place: `${place}.pollMs`, driver, mistakes }),
    rawCodes: readCodes(written['rawCodes'], `${place}.rawCodes`, mistakes),
    commandRoles: readRoles(written['commandRoles'], `${place}.commandRoles`, mistakes),
    options: readOptions(written['options'], { place: `${place}.options`, driver, mistakes }),
  }
  return mistakes.count() === before ? entry : undefined
}

export function readId(value: unknown, place: string, mistakes: Mistakes): string | undefined {
  if (typeof value === 'string' && ID.test(value)) return value
  mistakes.add(`${place}.id`, 'expected 1 to 64 letters, digits, "_" or "-"')
  return undefined
}

export function readHost(value: unknown, place: string, mistakes: Mistakes): string | undefined {
  if (typeof value === 'string' && HOST.test(value)) return value
  mistakes.add(place, 'expected a host name or an address')
  return undefined
}

export function readDriverName(value: unknown, place: string, mistakes: Mistakes): string | undefined {
  if (typeof value === 'string' && DRIVERS.has(value)) return value
  const name = typeof value === 'string' ? `${JSON.stringify(value.slice(0, 40))} is no driver; ` : ''
  mistakes.add(`${place}.driver`, `${name}expected one of ${[...DRIVERS.keys()].join(', ')}`)
  return undefined
}

interface Place {
  readonly place: string
  readonly driver: DriverEntry | undefined
  readonly mistakes: Mistakes
}

function readAddress(value: unknown, { place, driver, mistakes }: Place): MachineEntry['address'] {
  if (value === undefined) {
    if (driver?.needsAddress === true) mistakes.add(place, 'expected {"host": …, "port": …}: this driver needs one')
    return undefined
  }
  const written = mistakes.object(value, place, ['host', 'port'])
  if (written === undefined) return undefined
  const host = readHost(written['host'], `${place}.host`, mistakes)
  const port = written['port'] ?? driver?.defaultPort
  const checked = mistakes.whole(port, `${place}.port`, { min: 1, max: 65_535 })
  return host === undefined || checked === undefined ? undefined : { host, port: checked }
}

function readProfile(value: unknown, place: string, mistakes: Mistakes): StatusProfile {
  const parsed = value === undefined ? undefined : parseProfile(value)
  if (parsed?.ok === false) mistakes.add(place, parsed.problem)
  return parsed?.ok === true ? parsed.profile : builtInProfile('delta_as')
}

function readPoll(value: unknown, { place, driver, mistakes }: Place): number {
  const fallback = driver?.defaultPollMs ?? 1_000
  return value === undefined ? fallback : (mistakes.whole(value, place, MACHINE_LIMITS.pollMs) ?? fallback)
}

function readCodes(value: unknown, place: string, mistakes: Mistakes): readonly number[] {
  if (value === undefined) return []
  const items = mistakes.list(value, place, 251)
  return items?.flatMap((item, index) => mistakes.whole(item, `${place}[${String(index)}]`, { min: 5, max: 255 }) ?? []) ?? []
}

function readRoles(value: unknown, place: string, mistakes: Mistakes): readonly Role[] | undefined {
  if (value === undefined) return undefined
  const items = mistakes.list(value, place, ROLES.length)
  return items?.flatMap((item, index) => {
    const role = ROLES.find((known) => known === item)
    if (role === undefined) mistakes.add(`${place}[${String(index)}]`, `expected one of ${ROLES.join(', ')}`)
    return role ?? []
  })
}

function readOptions(value: unknown, { place, driver, mistakes }: Place): DriverOptions {
  if (value === undefined) value = {}
  const written = mistakes.object(value, place, undefined)
  for (const mistake of written === undefined ? [] : (driver?.checkOptions(written) ?? [])) mistakes.addSentence(`${place}.${mistake}`)
  return written ?? {}
}
