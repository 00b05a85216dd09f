/** Structured logs on a stream of its own, one JSON line per event. What must never be written is taken out (redaction.ts), should it slip in. */
import { destination, pino, stdTimeFunctions } from 'pino'
import type { Log, LogLevel } from '../ports.ts'
import { redactEntry } from './redaction.ts'

export interface LogTarget {
  write(line: string): void
}

/** @param target where lines go; standard error when left out. */
export function createPinoLog(level: LogLevel, target?: LogTarget): Log {
  const options = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    // Only called for entries that are written.
    formatters: { level: (label: string) => ({ level: label }), log: redactEntry },
  }
  const logger = pino(options, target ?? destination({ dest: 2, sync: true }))
  return {
    debug: (entry) => logger.debug(entry),
    info: (entry) => logger.info(entry),
    warn: (entry) => logger.warn(entry),
    error: (entry) => logger.error(entry),
  }
}
