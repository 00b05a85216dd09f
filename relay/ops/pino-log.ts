/** Structured logs on a stream of its own, one JSON line per event. Redacts what must never be written, should it slip in. */
import { destination, pino, stdTimeFunctions } from 'pino'
import type { Log, LogLevel } from '../ports.ts'

const SECRETS = ['token', 'authorization', 'cookie', 'data', 'image', 'url', 'query']

export interface LogTarget {
  write(line: string): void
}

/** @param target where lines go; standard error when left out. */
export function createPinoLog(level: LogLevel, target?: LogTarget): Log {
  const options = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: [...SECRETS, ...SECRETS.map((name) => `*.${name}`)], censor: '[redacted]' },
  }
  const logger = pino(options, target ?? destination({ dest: 2, sync: true }))
  return {
    debug: (entry) => logger.debug(entry),
    info: (entry) => logger.info(entry),
    warn: (entry) => logger.warn(entry),
    error: (entry) => logger.error(entry),
  }
}
