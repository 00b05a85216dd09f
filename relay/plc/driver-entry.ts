/** What the bridge must know of a kind of driver, and what a driver is told when it is opened. THE list of them is driver-registry.ts. */
import type { Clock, Log, PlcDriver, Random } from '../ports.ts'
import type { StatusProfile } from './profiles/status-profile.ts'

/** What a driver is told of its machine. */
export interface DriverSetup {
  readonly machine: string
  /** Undefined only where the driver needs none. */
  readonly address: { readonly host: string; readonly port: number } | undefined
  readonly positions: number
  /** What the device calls its first bucket: 0 or 1. Readings and commands are 0-based whatever it is. */
  readonly firstPosition: number
  /** For devices that send a status byte. */
  readonly profile: StatusProfile
  /** Checked by the entry's `checkOptions`. */
  readonly options: DriverOptions
}
export type DriverOptions = Readonly<Record<string, unknown>>

export interface DriverParts {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

export interface DriverEntry {
  readonly needsAddress: boolean
  /** Where an address names no port; undefined: it must. */
  readonly defaultPort: number | undefined
  readonly defaultPollMs: number
  /** What is wrong with `options`, as sentences that begin with the name of the option. */
  readonly checkOptions: (options: DriverOptions) => readonly string[]
  /** Rejects when the library does not load. Starts nothing. */
  readonly open: (setup: DriverSetup, parts: DriverParts) => Promise<PlcDriver>
}
