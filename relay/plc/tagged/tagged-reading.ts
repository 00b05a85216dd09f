/** From the values of a device to what a carousel says of itself, and from a command to the values that are written. Pure. */
import type { CarouselReading, PlcCommand } from '../../ports.ts'
import { decodeStatus, describeFlags, type StatusFlag, type StatusFlags, type StatusProfile } from '../profiles/status-profile.ts'
import type { Tag, TagMap, TagName, TagWrite, ValueType } from './tag-map.ts'

export type TagValue = number | boolean

export interface Place {
  readonly positions: number
  /** What the device calls its first bucket. */
  readonly firstPosition: number
  readonly profile: StatusProfile
  /** The bucket of the reading before, for the deadband. */
  readonly lastPosition: number | undefined
}

export type TaggedReading = { readonly ok: true; readonly reading: CarouselReading } | { readonly ok: false; readonly problem: string }

export function toTaggedReading<Address>(map: TagMap<Address>, values: ReadonlyMap<TagName, TagValue>, place: Place): TaggedReading {
  const position = toPosition(map, values, place)
  if (!position.ok) return position
  const status = values.get('status')
  const raw = typeof status === 'number' ? status : undefined
  if (raw !== undefined && !(Number.isInteger(raw) && raw >= 0 && raw <= 255))
    return { ok: false, problem: `the status ${String(raw)} is no byte` }
  const flags = toFlags(map, values, raw === undefined ? undefined : decodeStatus(place.profile, raw))
  return {
    ok: true,
    reading: { position: position.value, positions: place.positions, ...describeFlags(flags), raw },
  }
}

/** What a flag is taken for where the device says nothing of it: a device that has no such switch is remote, and ready while nothing is wrong. */
function toFlags<Address>(map: TagMap<Address>, values: ReadonlyMap<TagName, TagValue>, fromStatus: StatusFlags | undefined): StatusFlags {
  const says = (flag: StatusFlag, otherwise: boolean): boolean => {
    const tag = map.tags.get(flag)
    const value = values.get(flag)
    return tag === undefined || value === undefined ? (fromStatus?.[flag] ?? otherwise) : readFlag(tag, value)
  }
  const wrong = { alarm: says('alarm', false), emergencyStop: says('emergencyStop', false), driveFault: says('driveFault', false) }
  const remote = says('remote', true)
  const isWell = remote && !wrong.alarm && !wrong.emergencyStop && !wrong.driveFault
  return {
    ...wrong,
    remote,
    moving: says('moving', false),
    descending: says('descending', false),
    positioningError: says('positioningError', false),
    ready: says('ready', isWell),
  }
}

function readFlag<Address>({ bit, isInverted }: Tag<Address>, value: TagValue): boolean {
  const isSet = typeof value === 'boolean' ? value : bit === undefined ? value !== 0 : ((value >>> bit) & 1) === 1
  return isSet !== isInverted
}

function toPosition<Address>(
  map: TagMap<Address>,
  values: ReadonlyMap<TagName, TagValue>,
  { positions, firstPosition, lastPosition }: Place,
): { readonly ok: true; readonly value: number } | { readonly ok: false; readonly problem: string } {
  const tag = map.tags.get('position')
  const value = Number(values.get('position') ?? Number.NaN)
  const exact = value * (tag?.scale ?? 1) + (tag?.offset ?? 0) - firstPosition
  const isNear = lastPosition !== undefined && Math.abs(exact - lastPosition) <= 0.5 + (tag?.deadband ?? 0)
  const rounded = isNear ? lastPosition : Math.round(exact)
  if (Number.isFinite(exact) && rounded >= 0 && rounded < positions) return { ok: true, value: rounded }
  return { ok: false, problem: `the device says bucket ${String(rounded + firstPosition)}; it has ${String(positions)}` }
}

/** @returns undefined for a command that the map does not know. */
export function toWrites<Address>(
  map: TagMap<Address>,
  command: PlcCommand,
  firstPosition: number,
): readonly PlainWrite<Address>[] | undefined {
  if (command.kind === 'raw') return undefined
  const target = command.kind === 'move' ? command.position + firstPosition : 0
  return map.commands.get(command.kind)?.map((write) => ({
    address: write.address,
    type: write.type,
    value: write.value === 'target' ? toRaw(write, target) : write.value,
  }))
}

export interface PlainWrite<Address> {
  readonly address: Address
  readonly type: ValueType
  readonly value: TagValue
}

function toRaw<Address>({ scale, offset, type }: TagWrite<Address>, target: number): number {
  const raw = (target - offset) / scale
  return type === 'float32' ? raw : Math.round(raw)
}
