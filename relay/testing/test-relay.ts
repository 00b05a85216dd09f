/** The whole relay on a free port for tests, with a page of one line and limits that let tests flood it. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createKeptLog, type KeptLog } from '#shared/testing/kept-log'
import { createRelay, type Relay, type RelayStart } from '../app.ts'
import type { BoundCompatPort } from '../doors.ts'
import { parseConfig } from '../config.ts'
import { createSystemClock, createSystemTurn } from '../ops/system-clock.ts'
import { createSystemRandom } from '../ops/system-random.ts'
import type { Clock } from '../ports.ts'
import type { SessionLimits } from '../session/session-limits.ts'

export interface TestRelay {
  readonly relay: Relay
  readonly port: number
  /** Those of COMPAT_PORTS, as they were bound. */
  readonly compatPorts: readonly BoundCompatPort[]
  readonly log: KeptLog
  /** A token that may listen and publish as a station. */
  acquireToken(): Promise<string>
  get(path: string, headers?: Record<string, string>): Promise<{ readonly status: number; readonly text: string }>
  [Symbol.asyncDispose](): Promise<void>
}

export interface TestRelayOptions {
  /** As in the environment. */
  readonly settings?: Readonly<Record<string, string>>
  readonly limits?: Partial<SessionLimits>
  readonly clock?: Clock
}

const SETTINGS = {
  PORT: '0',
  LOG_LEVEL: 'debug',
  MESSAGES_PER_SECOND: '1000000',
  MESSAGE_BURST: '1000000',
  BYTES_PER_SECOND: '1000000000',
  TOPIC_PUBLISHES_PER_SECOND: '1000000',
  MAX_CONNECTIONS: '20000',
  CONNECTIONS_PER_ADDRESS: '20000',
  CONNECTIONS_PER_USER: '20000',
  NEW_SESSIONS_PER_MINUTE: '10000',
}

/** Rejects when it does not start. */
export async function startTestRelay(options: TestRelayOptions = {}): Promise<TestRelay> {
  const { relay, log, started } = await tryTestRelay(options)
  if (!started.ok) throw new Error([started.problem, ...started.details].join(' '))
  const { port, compatPorts } = started
  const at = (path: string): string => `http://127.0.0.1:${String(port)}${path}`
  return {
    relay,
    port,
    compatPorts,
    log,
    async acquireToken() {
      const response = await fetch(at('/api/auth/acquire-session'), { method: 'POST' })
      const body: { data: { token: string } } = JSON.parse(await response.text())
      return body.data.token
    },
    async get(path, headers = {}) {
      const response = await fetch(at(path), { headers })
      return { status: response.status, text: await response.text() }
    },
    [Symbol.asyncDispose]: () => relay.stop(),
  }
}

/** As `startTestRelay`, for tests of why it does not start. */
export async function tryTestRelay({ settings = {}, limits = {}, clock = createSystemClock() }: TestRelayOptions): Promise<{
  readonly relay: Relay
  readonly log: KeptLog
  readonly started: RelayStart
}> {
  const staticDir = mkdtempSync(join(tmpdir(), 'semblante-page-'))
  writeFileSync(join(staticDir, 'index.html'), '<!doctype html><title>Semblante</title>')
  const parsed = parseConfig({ ...SETTINGS, STATIC_DIR: staticDir, ...settings })
  if (!parsed.ok) throw new Error(parsed.mistakes.join('\n'))
  const log = createKeptLog()
  const [turn, random] = [createSystemTurn(), createSystemRandom()]
  const relay = createRelay({ config: parsed.config, server: 'semblante/test', clock, turn, random, log, limits })
  return { relay, log, started: await relay.start() }
}
