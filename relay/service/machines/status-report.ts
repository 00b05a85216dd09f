/** Tells the bus how one machine is: its status on change and as a heartbeat, and a point of its history for each change that a chart would show. */
import type { MachineHistoryPoint, MachineStatus } from '#shared/protocol/machine'
import type { Hub } from '../../hub/hub.ts'
import type { CarouselReading, Clock, Log } from '../../ports.ts'
import type { CommandRun } from './command-run.ts'
import type { LeaseHolder } from './lease.ts'
import type { MachineSetup, MachineTimes } from './machine-setup.ts'
import type { Known } from './reading-quality.ts'

export interface StatusReport {
  read(): MachineStatus
  /** The first word comes with the first reading, or soon without one. */
  begin(): void
  /** Says what has changed; nothing when nothing has. */
  say(): void
  /** The last word of a machine that is read no more. */
  sayGone(reason: string): void
  /** Twice is harmless. */
  stop(): void
}

export interface StatusSources {
  readonly known: () => Known
  readonly running: () => CommandRun | undefined
  readonly holder: () => LeaseHolder | undefined
}

interface Options {
  readonly setup: MachineSetup
  readonly hub: Pick<Hub, 'publish'>
  readonly clock: Clock
  readonly log: Log
  readonly times: MachineTimes
  readonly sources: StatusSources
  /** With each heartbeat. */
  readonly onBeat: () => void
}

/** What is said while a machine has never been read. */
const UNKNOWN: Omit<CarouselReading, 'positions' | 'raw'> = {
  position: 0,
  isMoving: false,
  direction: 'none',
  mode: 'manual',
  isReady: false,
  hasAlarm: false,
  isEmergencyStopped: false,
  hasDriveFault: false,
  hasPositioningError: false,
}
const MAX_NAME = 128
const FIRST_WORD_MS = 1_000

export function createStatusReport({ setup, hub, clock, log, times, sources, onBeat }: Options): StatusReport {
  const { machine, name, positions } = setup.info
  let said: { readonly text: string; readonly quality: MachineStatus['quality'] } | undefined
  let lastPoint = ''
  let cancelBeat = (): void => undefined

  function read(): MachineStatus {
    const { reading, readAt, quality, link, reason } = sources.known()
    const run = sources.running()
    const holder = sources.holder()
    const { raw, ...values } = reading ?? { ...UNKNOWN, positions, raw: undefined }
    return {
      ...{ machine, name: name.slice(0, MAX_NAME), time: readAt, quality, ...values },
      ...(raw === undefined ? {} : { raw }),
      connection: link === 'connected' && run !== undefined ? 'busy' : link,
      ...(reason === undefined ? {} : { reason }),
      ...(run === undefined ? {} : { command: toCommand(run) }),
      ...(holder === undefined ? {} : { lease: { by: holder.by.slice(0, MAX_NAME), until: holder.until } }),
    }
  }
  function publish(status: MachineStatus): void {
    cancelBeat()
    cancelBeat = clock.after(times.heartbeatMs, beat)
    hub.publish({ topic: `machine/${machine}/status`, data: status })
  }
  function beat(): void {
    onBeat()
    publish(read())
  }
  function addPoint(status: MachineStatus): void {
    const state = toHistoryState(status)
    const position = status.quality === 'good' ? { position: status.position } : {}
    const text = `${state} ${String(position.position)}`
    if (text === lastPoint) return
    lastPoint = text
    const point: MachineHistoryPoint = { machine, time: clock.now(), state, ...position }
    hub.publish({ topic: `machine/${machine}/history`, data: point })
  }
  function say(): void {
    const status = read()
    const text = JSON.stringify({ ...status, time: 0 })
    if (text === said?.text) return
    if (said !== undefined && said.quality !== status.quality) {
      log.warn({ event: 'machine.quality_changed', machine, quality: status.quality, reason: status.reason })
    }
    said = { text, quality: status.quality }
    publish(status)
    addPoint(status)
  }
  return {
    read,
    say,
    begin() {
      cancelBeat = clock.after(FIRST_WORD_MS, say)
    },
    sayGone(reason) {
      const status: MachineStatus = { ...read(), quality: 'bad', connection: 'disconnected', isReady: false, reason }
      publish(status)
      addPoint(status)
      cancelBeat()
    },
    stop: () => cancelBeat(),
  }
}

function toCommand({ id, parsed, by, since }: CommandRun): NonNullable<MachineStatus['command']> {
  return { command: id, name: parsed.name, ...(parsed.argument === undefined ? {} : { argument: parsed.argument }), by, since }
}

function toHistoryState(status: MachineStatus): MachineHistoryPoint['state'] {
  if (status.quality !== 'good') return 'unknown'
  if (status.isEmergencyStopped) return 'emergencyStop'
  if (status.hasAlarm || status.hasDriveFault || status.hasPositioningError) return 'alarm'
  if (status.isMoving) return status.direction === 'down' ? 'down' : 'up'
  return status.mode === 'manual' ? 'manual' : 'still'
}
