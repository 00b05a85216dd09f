/** Reads the machines and tells the bus: on change, and every few seconds so that silence means something. Leaves devices to their drivers. */
import type { MachineStatus } from '#shared/protocol/machine'
import type { Hub } from '../hub/hub.ts'
import type { CarouselReading, Clock, Log, PlcDriver } from '../ports.ts'

export interface Machine {
  /** The middle level of the topic. */
  readonly id: string
  /** What people call it. */
  readonly name: string
  readonly driver: PlcDriver
}

export interface MachinesService {
  start(): Promise<void>
  /** Twice is harmless. */
  stop(): Promise<void>
}

interface Options {
  readonly hub: Hub
  readonly clock: Clock
  readonly log: Log
  readonly machines: readonly Machine[]
}

const READ_INTERVAL_MS = 250
const REPEAT_INTERVAL_MS = 5_000

export function createMachines({ hub, clock, log, machines }: Options): MachinesService {
  const watchers = machines.map((machine) => createWatcher(machine, { hub, clock, log }))
  let cancel: (() => void) | undefined
  return {
    async start() {
      await Promise.all(machines.map((machine) => machine.driver.start()))
      cancel ??= clock.every(READ_INTERVAL_MS, () => {
        for (const watcher of watchers) watcher.look()
      })
      for (const watcher of watchers) watcher.look()
    },
    async stop() {
      cancel?.()
      cancel = undefined
      await Promise.all(machines.map((machine) => machine.driver.stop()))
    },
  }
}

/** What is said while a machine has never been read. */
const UNKNOWN: CarouselReading = {
  position: 0,
  positions: 1,
  isMoving: false,
  direction: 'none',
  mode: 'manual',
  isReady: false,
  hasAlarm: false,
  isEmergencyStopped: false,
  hasDriveFault: false,
  hasPositioningError: false,
  raw: undefined,
}

interface Watcher {
  /** Reads once, unless the last reading is still under way: a slow machine delays nobody else. */
  look(): void
}

function createWatcher({ id, name, driver }: Machine, { hub, clock, log }: Pick<Options, 'hub' | 'clock' | 'log'>): Watcher {
  let isReading = false
  let known: { readonly reading: CarouselReading; readonly time: number } | undefined
  let said: { readonly text: string; readonly at: number } | undefined

  function publish(status: MachineStatus): void {
    const text = JSON.stringify({ ...status, time: 0 })
    if (text === said?.text && clock.now() - said.at < REPEAT_INTERVAL_MS) return
    if (said !== undefined && text.includes('"quality":"good"') !== said.text.includes('"quality":"good"')) {
      log.warn({ event: 'machine.quality_changed', machine: id, quality: status.quality })
    }
    said = { text, at: clock.now() }
    hub.publish({ topic: `machine/${id}/status`, data: status })
  }
  async function read(): Promise<void> {
    const result = await driver.read()
    if (result.ok) known = { reading: result.reading, time: clock.now() }
    const quality = result.ok ? 'good' : known === undefined ? 'bad' : 'stale'
    const { raw, ...reading } = known?.reading ?? UNKNOWN
    const connection = result.ok ? 'connected' : 'disconnected'
    publish({ machine: id, name, time: known?.time ?? clock.now(), quality, ...reading, ...(raw === undefined ? {} : { raw }), connection })
  }
  return {
    look() {
      if (isReading) return
      isReading = true
      read()
        .catch((error: unknown) => log.error({ event: 'machine.read_failed', machine: id, error: String(error) }))
        .finally(() => {
          isReading = false
        })
    },
  }
}
