/** What stands beside each other in the benchmark, each behind the same small interface. */
import type { ScenarioName } from './scenarios.ts'
import type { Wire } from './wire/wire.ts'

/** How to reach a server that runs. Plain data: it travels to the load generator. */
export interface Access {
  readonly port: number
  /** What a client must show, where one must. */
  readonly token: string
}

export interface RunningServer {
  /** The process that does the work. */
  readonly pid: number
  /** SIGUSR2 makes it collect its garbage. */
  readonly collectsOnSignal: boolean
  readonly access: Access
  /** Twice is harmless. */
  stop(): Promise<void>
}

export interface Contestant {
  /** As it is asked for on the command line. */
  readonly name: string
  /** As the tables call it. */
  readonly title: string
  /** What its echo is, for the notes. */
  readonly echo: string
  /** The scenarios it adds something to; all where it says nothing. */
  readonly takesPartIn?: readonly ScenarioName[]
  /**
   * @param nodeArguments for those that run on Node.
   * @returns undefined where it is not installed.
   */
  start(nodeArguments: readonly string[]): Promise<RunningServer | undefined>
  wire(access: Access): Wire
}
