/**
 * Steps of commands as news for one client: which are of its own commands (those it is answered, not told), and which of the others mean that a
 * command was executed or has ended. A command's id is known only once it is answered, so steps of a machine wait while the client has a
 * command under way there.
 */
import type { MachineCommandEvent } from '#shared/protocol/machine'

export interface CommandNews {
  readonly event: MachineCommandEvent
  /** First seen to be obeyed. */
  readonly isExecuted: boolean
  /** The last step. */
  readonly isEnd: boolean
}

/** How a command of this client's was answered: its id, or nothing where it failed. */
export type OwnOutcome = { readonly command: string } | undefined

export interface CommandWatch {
  /** This client has sent a command to the machine. */
  begin(machineId: string): void
  /** It was answered. @returns the news that waited for that. */
  end(machineId: string, outcome: OwnOutcome): readonly CommandNews[]
  /** @param subject the client's own, as in `by`. */
  hear(event: MachineCommandEvent): readonly CommandNews[]
}

/** Steps that wait per machine; when more come the oldest is told without knowing whose it is. */
const MAX_HELD = 64
/** Own commands whose last steps may still come. */
const MAX_OWN = 64

interface Held {
  underWay: number
  /** Of the client's commands that failed: their ids are in no answer. */
  failed: number
  readonly events: MachineCommandEvent[]
}

export function createCommandWatch(subject: () => string): CommandWatch {
  const held = new Map<string, Held>()
  const own = new Set<string>()
  /** By machine: the last command that was told to be executed. A machine obeys one at a time. */
  const executed = new Map<string, string>()

  function toNews(event: MachineCommandEvent): readonly CommandNews[] {
    if (own.has(event.command)) return []
    const isObeyed = event.state === 'running' || event.state === 'done'
    const isExecuted = isObeyed && executed.get(event.machine) !== event.command
    if (isExecuted) executed.set(event.machine, event.command)
    const isEnd = isLastStep(event)
    return isExecuted || isEnd ? [{ event, isExecuted, isEnd }] : []
  }
  function rememberOwn(command: string): void {
    own.add(command)
    if (own.size > MAX_OWN) for (const oldest of [...own].slice(0, own.size - MAX_OWN)) own.delete(oldest)
  }
  /** Commands of this subject that failed, as many as its answers said so. */
  function rememberFailed({ events, failed }: Held): void {
    let left = failed
    for (const event of events) {
      const isCandidate = event.by === subject() && isLastStep(event) && event.state !== 'done' && !own.has(event.command)
      if (!isCandidate || left === 0) continue
      rememberOwn(event.command)
      left -= 1
    }
  }
  return {
    begin(machineId) {
      const waiting = held.get(machineId) ?? { underWay: 0, failed: 0, events: [] }
      held.set(machineId, waiting)
      waiting.underWay += 1
    },
    end(machineId, outcome) {
      if (outcome !== undefined) rememberOwn(outcome.command)
      const waiting = held.get(machineId)
      if (waiting === undefined) return []
      if (outcome === undefined) waiting.failed += 1
      waiting.underWay -= 1
      if (waiting.underWay > 0) return []
      held.delete(machineId)
      rememberFailed(waiting)
      return waiting.events.flatMap(toNews)
    },
    hear(event) {
      const waiting = held.get(event.machine)
      if (waiting === undefined) return toNews(event)
      waiting.events.push(event)
      const oldest = waiting.events.length > MAX_HELD ? waiting.events.shift() : undefined
      return oldest === undefined ? [] : toNews(oldest)
    },
  }
}

function isLastStep({ state }: MachineCommandEvent): boolean {
  return state !== 'accepted' && state !== 'running'
}
