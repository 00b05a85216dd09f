/** What the relay's machine services answered, checked once: pure. What does not fit is left out, because a relay of another version may differ. */
import { isMachineAlarmPayload } from '#shared/generated/guards'
import type { MachineAlarmEvent, MachineInfo, MachineLease } from '#shared/protocol/machine'

/** More than one page can show. */
const MAX_ITEMS = 256
const MAX_POSITIONS = 1_024

/** In the relay's order. Undefined: no list at all. */
export function parseMachineList(data: unknown): readonly MachineInfo[] | undefined {
  const items = readMember(data, 'machines')
  if (!Array.isArray(items)) return undefined
  return items.slice(0, MAX_ITEMS).flatMap((item: unknown) => parseInfo(item) ?? [])
}

/** Undefined: no list at all. */
export function parseAlarms(data: unknown): readonly MachineAlarmEvent[] | undefined {
  const items: unknown = readMember(data, 'alarms')
  return Array.isArray(items) ? items.slice(0, MAX_ITEMS).filter(isMachineAlarmPayload) : undefined
}

export function parseLease(data: unknown): MachineLease | undefined {
  const [machine, by, until] = ['machine', 'by', 'until'].map((name) => readMember(data, name))
  return typeof machine === 'string' && typeof by === 'string' && typeof until === 'number' ? { machine, by, until } : undefined
}

function parseInfo(item: unknown): MachineInfo | undefined {
  const [machine, name, driver] = ['machine', 'name', 'driver'].map((member) => readMember(item, member))
  const [positions, firstBucket] = ['positions', 'firstBucket'].map((member) => readMember(item, member))
  if (typeof machine !== 'string' || typeof name !== 'string') return undefined
  if (typeof positions !== 'number' || !Number.isInteger(positions) || positions < 1 || positions > MAX_POSITIONS) return undefined
  return {
    ...{ machine, name, positions },
    driver: typeof driver === 'string' ? driver : '',
    address: undefined,
    firstBucket: firstBucket === 0 ? 0 : 1,
  }
}

function readMember(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  return Object.entries(value).find(([key]) => key === name)?.[1]
}
