/**
 * One device: one queue, one timer, one circuit breaker, so that none waits for another. Calls its driver one method at a time, knows how good the
 * last reading is, and hands a command over once. Leaves what a command means, and who hears of anything, to others.
 */
import type { CarouselReading, Clock, Log, Metrics, PlcCommand, PlcDriver, PlcReadResult, PlcWriteResult, Random } from '../../ports.ts'
import type { MachineSetup, MachineTimes } from './machine-setup.ts'
import { createReadingQuality, type Known } from './reading-quality.ts'

export interface Device {
  /** Begins reading; the driver is opened in the background. */
  start(): void
  /** Ends what waits. Twice is harmless. */
  stop(): Promise<void>
  known(): Known
  /** Hands one command over before the next reading, unless it is no longer wanted by then. */
  write(command: PlcCommand, isWanted: () => boolean): Promise<WriteEnd>
  /** Resolves after the next reading, which comes as soon as may be; at once while the device does not answer. */
  refresh(): Promise<void>
}

/** `isLate`: it was not wanted any more when its turn came, and was not handed over. */
export type WriteEnd = PlcWriteResult | { readonly ok: false; readonly problem: string; readonly isSent: false; readonly isLate: true }

export interface DeviceDependencies {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly metrics: Metrics
  readonly times: MachineTimes
}

export interface DeviceListener {
  /** Quality or values may have changed. */
  onKnown(known: Known): void
  /** A reading that was begun after the last `write` ended. */
  onReading(reading: CarouselReading): void
}

interface WriteJob {
  readonly command: PlcCommand
  readonly isWanted: () => boolean
  readonly end: (how: WriteEnd) => void
}

/** Commands that wait for their turn: one, and the stops after it. */
const MAX_WAITING = 8
const MAX_REFRESHES = 256
/** Failures before the breaker opens. */
const CALM_FAILURES = 2
const FIRST_PAUSE_MS = 500
/** What the end of a driver may take. */
const END_MS = 2_000
/** Between two readings of a device that takes longer than its interval. */
const BREATH_MS = 20
const LATE: WriteEnd = { ok: false, problem: 'It could not be handed over in time.', isSent: false, isLate: true }

export function createDevice(setup: MachineSetup, dependencies: DeviceDependencies, listener: DeviceListener): Device {
  const { clock, random, log, metrics, times } = dependencies
  const machine = setup.info.machine
  const quality = createReadingQuality({ setup, clock, times, onChange: (known) => listener.onKnown(known) })
  const jobs: WriteJob[] = []
  let isRunning = false
  let isStepping = false
  let driver: PlcDriver | undefined
  let failures = 0
  /** Goes up when a driver is given up. */
  let opening = 0
  let refreshes: (() => void)[] = []
  let cancelTimer = (): void => undefined

  /** One call, given up when it hangs: then its driver is left behind, so that no second call runs beside it. */
  async function call<Answer>(ask: (driver: PlcDriver) => Promise<Answer>): Promise<Answer | 'hung' | 'broken'> {
    let cancel = (): void => undefined
    const hung = new Promise<'hung'>((resolve) => {
      cancel = clock.after(times.hangMs, () => resolve('hung'))
    })
    try {
      const answer = await Promise.race([openDriver().then(ask), hung])
      if (answer === 'hung') dropDriver()
      return answer
    } catch (error) {
      log.error({ event: 'machine.driver_failed', machine, error: String(error) })
      dropDriver()
      return 'broken'
    } finally {
      cancel()
    }
  }
  /** A driver that opens after it was given up is closed again: nobody would own it. */
  async function openDriver(): Promise<PlcDriver> {
    if (driver !== undefined) return driver
    const wanted = opening
    const opened = await setup.openDriver()
    if (wanted === opening) driver = opened
    if (wanted === opening) await opened.start()
    if (wanted === opening) return opened
    await opened.stop()
    throw new Error('opened too late')
  }
  function dropDriver(): void {
    const dropped = driver
    driver = undefined
    opening += 1
    if (dropped !== undefined) void endDriver(dropped)
  }
  /** A driver that hangs even then is waited for no longer than that. */
  async function endDriver(ending: PlcDriver): Promise<void> {
    let cancel = (): void => undefined
    const late = new Promise<void>((resolve) => {
      cancel = clock.after(END_MS, resolve)
    })
    await Promise.race([ending.stop(), late]).catch((error: unknown) => {
      log.error({ event: 'machine.driver_failed', machine, error: String(error) })
    })
    cancel()
  }
  async function read(): Promise<void> {
    const startedAt = clock.now()
    const answer = await call((opened) => opened.read())
    if (!isRunning) return
    metrics.observe('machine_read_seconds', (clock.now() - startedAt) / 1000)
    const result = toReadResult(answer, times.hangMs)
    const reading = quality.take(result)
    metrics.add('machine_reads_total', reading === undefined ? 'failed' : 'good')
    failures = reading === undefined ? failures + 1 : 0
    if (reading !== undefined) listener.onReading(reading)
    endRefreshes()
  }
  function endRefreshes(): void {
    const due = refreshes
    refreshes = []
    for (const end of due) end()
  }
  async function write({ command, isWanted, end }: WriteJob): Promise<void> {
    if (!isWanted()) {
      end(LATE)
      return
    }
    const answer = await call((opened) => opened.write(command))
    const problem = answer === 'hung' ? `It did not take the command within ${seconds(times.hangMs)}.` : 'Its driver failed.'
    end(answer === 'hung' || answer === 'broken' ? { ok: false, problem, isSent: true } : answer)
  }
  async function step(): Promise<void> {
    cancelTimer()
    isStepping = true
    const startedAt = clock.now()
    const job = jobs.shift()
    await (job === undefined ? read() : write(job))
    isStepping = false
    if (!isRunning) return
    if (jobs.length > 0 || job !== undefined) void step()
    else cancelTimer = clock.after(pauseAfter(startedAt), () => void step())
  }
  function pauseAfter(startedAt: number): number {
    const rest = Math.max(BREATH_MS, startedAt + setup.pollMs - clock.now())
    if (failures <= CALM_FAILURES) return rest
    const pause = Math.min(times.maxPauseMs, FIRST_PAUSE_MS * 2 ** Math.min(16, failures - CALM_FAILURES - 1))
    // Devices that died together are not tried together.
    return Math.max(rest, pause * (0.75 + random.fraction() / 4))
  }
  function hurry(): void {
    if (isRunning && !isStepping) void step()
  }
  return {
    known: () => quality.known(),
    refresh() {
      if (!isRunning || failures > 0 || refreshes.length >= MAX_REFRESHES) return Promise.resolve()
      return new Promise((resolve) => {
        refreshes.push(resolve)
        hurry()
      })
    },
    start() {
      isRunning = true
      hurry()
    },
    async stop() {
      isRunning = false
      cancelTimer()
      quality.stop()
      opening += 1
      endRefreshes()
      for (const { end } of jobs.splice(0)) end(LATE)
      const last = driver
      driver = undefined
      if (last !== undefined) await endDriver(last)
    },
    write(command, isWanted) {
      if (!isRunning || jobs.length >= MAX_WAITING) return Promise.resolve(LATE)
      return new Promise((end) => {
        jobs.push({ command, isWanted, end })
        hurry()
      })
    },
  }
}

function toReadResult(answer: PlcReadResult | 'hung' | 'broken', hangMs: number): PlcReadResult {
  if (answer === 'hung') return { ok: false, problem: `No answer came within ${seconds(hangMs)}.` }
  if (answer === 'broken') return { ok: false, problem: 'Its driver failed; the log says how.' }
  return answer
}

function seconds(ms: number): string {
  return `${String(Math.round(ms / 100) / 10)} s`
}
