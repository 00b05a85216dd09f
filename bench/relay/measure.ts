/** What a process costs, as Linux tells it (proc(5)). Processor time is steady on a busy machine, unlike the time on the wall. */
import { readFileSync } from 'node:fs'

/** Clock ticks per second in /proc; 100 on every Linux that Node runs on (sysconf(_SC_CLK_TCK)). */
const TICKS_PER_SECOND = 100

export interface ProcessorTime {
  /** In the program itself, milliseconds. */
  readonly userMs: number
  /** In the kernel on its behalf, milliseconds. On loopback that holds delivery up to the reader's socket. */
  readonly systemMs: number
}

/** utime and stime of all threads, in steps of 10 ms. @returns undefined where there is no /proc or no such process. */
export function readProcessorTime(pid: number): ProcessorTime | undefined {
  const text = readProc(pid, 'stat')
  // The second field is the program's name in parentheses and may hold anything.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ')
  if (fields === undefined) return undefined
  const toMs = (field: string | undefined): number => (Number(field) * 1000) / TICKS_PER_SECOND
  return { userMs: toMs(fields[11]), systemMs: toMs(fields[12]) }
}

/** Resident memory in bytes (VmRSS). The kernel's socket buffers are not in it. */
export function readResidentBytes(pid: number): number | undefined {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readProc(pid, 'status') ?? '')?.[1]
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${String(pid)}/${file}`, 'utf8')
  } catch {
    return undefined
  }
}

/** What two processes used of the processor while something happened. */
export interface Cost {
  readonly wallMs: number
  readonly server: ProcessorTime
  readonly generatorMs: number
}

/** @returns a function that tells what was used since. The generator is this process. */
export function startCost(serverPid: number): () => Cost {
  const server = readProcessorTime(serverPid)
  const generator = process.cpuUsage()
  const startedAt = performance.now()
  return () => {
    const now = readProcessorTime(serverPid)
    const { user, system } = process.cpuUsage(generator)
    return {
      wallMs: performance.now() - startedAt,
      server: { userMs: difference(now?.userMs, server?.userMs), systemMs: difference(now?.systemMs, server?.systemMs) },
      generatorMs: (user + system) / 1000,
    }
  }
}

function difference(now: number | undefined, before: number | undefined): number {
  return now === undefined || before === undefined ? Number.NaN : now - before
}

/** A phase may take that much longer on the wall than the processor time it is meant to last. */
const WALL_FACTOR = 6
const LOOK_EVERY_MS = 20

/**
 * A phase that lasts until the server has *used* so much processor time, so that a busy machine gives it the same work, not less of it.
 * @returns a function that tells whether it is over; cheap enough to be asked all the time.
 */
export function startPhase(serverPid: number, serverMs: number): () => boolean {
  const usedAtStart = totalMs(readProcessorTime(serverPid))
  const startedAt = performance.now()
  let lookAt = startedAt + Math.min(LOOK_EVERY_MS, serverMs)
  return () => {
    const now = performance.now()
    if (now < lookAt) return false
    lookAt = now + LOOK_EVERY_MS
    if (now - startedAt >= serverMs * WALL_FACTOR) return true
    // Without /proc the clock has to do.
    const usedMs = usedAtStart === undefined ? now - startedAt : (totalMs(readProcessorTime(serverPid)) ?? Infinity) - usedAtStart
    return usedMs >= serverMs
  }
}

function totalMs(time: ProcessorTime | undefined): number | undefined {
  return time === undefined ? undefined : time.userMs + time.systemMs
}
