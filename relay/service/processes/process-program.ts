/** What a program that runs as a process inside the relay is and can do. Types only; `spawned-processes.ts` runs them. */
import type { ProcessMessage } from '#shared/protocol/socket-control'
import type { Clock } from '../../ports.ts'

/** One message as a process gets it. */
export interface ReceivedMessage extends ProcessMessage {
  /** The sender's PID. */
  readonly from: string
}

/** A process as it sees itself. */
export interface ProcessSelf {
  readonly pid: string
  readonly clock: Clock
  /** @param to a PID. @returns false when nobody is there. */
  send(to: string, message: ProcessMessage): boolean
  /** `EXIT` comes when that process ends. */
  monitor(pid: string): void
  /** Whichever ends abnormally, the other gets `LINK_DOWN`. */
  link(pid: string): void
  /** Ends in order, after the message at hand. */
  exit(reason: string): void
}

/** A running process: one object, one message at a time. A throw ends it abnormally. */
export interface ProcessHandler {
  receive(message: ReceivedMessage): void
  /** True: `LINK_DOWN` comes as a message; else it ends the process. */
  readonly trapsLinks?: boolean
  /** The last call. */
  end?(): void
}

/** Starts one. @param options what the spawner gave. */
export type ProcessProgram = (self: ProcessSelf, options: unknown) => ProcessHandler
