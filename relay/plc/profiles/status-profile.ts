/**
 * What the eight bits of a carousel's status byte mean, as a table per machine: pure, both ways. The real machine says one thing, the documents
 * show samples that only fit another, and an operator may write a third. Leaves words for people to the dialect and the page.
 */
import type { CarouselReading } from '../../ports.ts'

/** The eight things a status byte says. */
export const STATUS_FLAGS = ['ready', 'moving', 'remote', 'alarm', 'emergencyStop', 'driveFault', 'positioningError', 'descending'] as const
export type StatusFlag = (typeof STATUS_FLAGS)[number]
export type StatusFlags = Readonly<Record<StatusFlag, boolean>>

/** One bit: what it speaks of, and whether 1 says that it holds. */
export interface StatusBit {
  readonly flag: StatusFlag
  readonly isWhenSet: boolean
}

/** Bit 0, the lowest, first; always eight, each flag once. */
export interface StatusProfile {
  readonly name: string
  readonly bits: readonly StatusBit[]
}

export type ProfileResult = { readonly ok: true; readonly profile: StatusProfile } | { readonly ok: false; readonly problem: string }

/** As they are written in a machines file: bit 0 first, `!` before what holds while the bit is 0. */
const BUILT_IN = {
  /** What the Delta AS on a real carousel sends: 21 idle in remote mode, 23 and 151 moving up and down, 17 manual. */
  delta_as: ['ready', 'moving', 'remote', 'alarm', '!emergencyStop', 'driveFault', 'positioningError', 'descending'],
  /** The documents' two samples: 218 stopped, 219 moving, both ready, remote and without alarm. No machine is known to send them. */
  doc: ['moving', 'ready', 'alarm', 'remote', '!emergencyStop', 'driveFault', '!positioningError', 'descending'],
} as const

export type ProfileName = keyof typeof BUILT_IN
export const PROFILE_NAMES = ['delta_as', 'doc'] as const satisfies readonly ProfileName[]

const isProfileName = (name: unknown): name is ProfileName => PROFILE_NAMES.some((known) => known === name)
const isStatusFlag = (name: string): name is StatusFlag => STATUS_FLAGS.some((flag) => flag === name)

export function builtInProfile(name: ProfileName): StatusProfile {
  const profile = readBits(name, BUILT_IN[name])
  if (!profile.ok) throw new Error(profile.problem)
  return profile.profile
}

/** @param written a name, or eight flags; anything else gives a sentence that says what was expected. */
export function parseProfile(written: unknown): ProfileResult {
  if (isProfileName(written)) return { ok: true, profile: builtInProfile(written) }
  const expected = `expected ${PROFILE_NAMES.join(' or ')}, or a list of eight flags, bit 0 first, each of ${STATUS_FLAGS.join(', ')} once, with "!" before what holds while the bit is 0`
  if (!Array.isArray(written)) return { ok: false, problem: expected }
  const bits = readBits('custom', written)
  return bits.ok ? bits : { ok: false, problem: `${expected}; ${bits.problem}` }
}

function readBits(name: string, written: readonly unknown[]): ProfileResult {
  const bits: StatusBit[] = []
  for (const word of written) {
    const text = typeof word === 'string' ? word : ''
    const flag = text.startsWith('!') ? text.slice(1) : text
    if (!isStatusFlag(flag)) return { ok: false, problem: `${text === '' ? typeof word : JSON.stringify(text.slice(0, 40))} is no flag` }
    if (bits.some((bit) => bit.flag === flag)) return { ok: false, problem: `${flag} stands there twice` }
    bits.push({ flag, isWhenSet: text === flag })
  }
  if (bits.length !== STATUS_FLAGS.length) return { ok: false, problem: `there are ${String(bits.length)}` }
  return { ok: true, profile: { name, bits } }
}

/** @param raw one byte; what is above is ignored. */
export function decodeStatus({ bits }: StatusProfile, raw: number): StatusFlags {
  const says = (flag: StatusFlag): boolean => {
    const index = bits.findIndex((bit) => bit.flag === flag)
    return ((raw >> index) & 1) === (bits[index]?.isWhenSet === true ? 1 : 0)
  }
  return {
    ready: says('ready'),
    moving: says('moving'),
    remote: says('remote'),
    alarm: says('alarm'),
    emergencyStop: says('emergencyStop'),
    driveFault: says('driveFault'),
    positioningError: says('positioningError'),
    descending: says('descending'),
  }
}

/** The byte that says so, 0 to 255. */
export function encodeStatus({ bits }: StatusProfile, flags: StatusFlags): number {
  return bits.reduce((raw, { flag, isWhenSet }, index) => raw | (flags[flag] === isWhenSet ? 1 << index : 0), 0)
}

/** What a machine with this profile says of itself with this byte at this bucket. */
export function toReading(
  profile: StatusProfile,
  raw: number,
  place: { readonly position: number; readonly positions: number },
): CarouselReading {
  return { ...place, ...describeFlags(decodeStatus(profile, raw)), raw }
}

/** The flags as a reading has them. */
export function describeFlags(flags: StatusFlags): Omit<CarouselReading, 'position' | 'positions' | 'raw'> {
  return {
    isMoving: flags.moving,
    direction: flags.moving ? (flags.descending ? 'down' : 'up') : 'none',
    mode: flags.remote ? 'remote' : 'manual',
    isReady: flags.ready,
    hasAlarm: flags.alarm,
    isEmergencyStopped: flags.emergencyStop,
    hasDriveFault: flags.driveFault,
    hasPositioningError: flags.positioningError,
  }
}
