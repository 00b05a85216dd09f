/** A log that keeps what it is told, so that a test can look at it. It has the shape of the relay's `Log` port. */

export interface KeptEntry {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly event: string
  readonly [detail: string]: unknown
}

interface Entry {
  readonly event: string
  readonly [detail: string]: unknown
}

export interface KeptLog {
  debug(entry: Entry): void
  info(entry: Entry): void
  warn(entry: Entry): void
  error(entry: Entry): void
  readonly entries: readonly KeptEntry[]
}

export function createKeptLog(): KeptLog {
  const entries: KeptEntry[] = []
  return {
    entries,
    debug: (entry) => void entries.push({ ...entry, level: 'debug' }),
    info: (entry) => void entries.push({ ...entry, level: 'info' }),
    warn: (entry) => void entries.push({ ...entry, level: 'warn' }),
    error: (entry) => void entries.push({ ...entry, level: 'error' }),
  }
}
