import { describe, expect, it } from 'vitest'
import type { LogEntry } from '../ports.ts'
import { createPinoLog } from './pino-log.ts'

/** The line that is written for an entry. */
function lineOf(entry: LogEntry): string {
  const lines: string[] = []
  createPinoLog('debug', { write: (line) => void lines.push(line) }).info(entry)
  expect(lines).toHaveLength(1)
  return lines.join()
}

const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJzdGF0aW9uIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'

describe('log', () => {
  it('[LG1] writes one JSON line per event from its level up, and redacts what must not be written', () => {
    const lines: string[] = []
    const log = createPinoLog('info', { write: (line) => void lines.push(line) })
    log.debug({ event: 'too.quiet' })
    log.info({ event: 'session.opened', peer: 'peer/1', token: 'hunter2', nested: { authorization: 'hunter2', data: 'hunter2' } })
    log.error({ event: 'process.failed', error: 'why' })
    expect(lines).toHaveLength(2)
    expect(lines.join()).not.toContain('hunter2')
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'info', event: 'session.opened', peer: 'peer/1' })
    expect(JSON.parse(lines[1] ?? '')).toMatchObject({ level: 'error', error: 'why' })
  })
  it.each(['token', 'Authorization', 'password', 'secret', 'cookie', 'set-cookie', 'adminToken', 'JWT_SECRET', 'accessTokens', 'api_key'])(
    '[LG2] a field named %s is never written, however deep and whatever it holds',
    (name) => {
      const deep = { list: [{ inner: { [name]: 'hunter2' } }], members: new Map([[name, 'hunter2']]) }
      const line = lineOf({ event: 'x', [name]: ['hunter2'], here: { [name]: { value: 'hunter2' } }, deep })
      expect(line).not.toContain('hunter2')
      expect(line.split('[redacted]')).toHaveLength(5)
    },
  )
  it.each([
    '/relay?token=hunter2&x=1',
    'wss://host/relay?x=1&token=hunter2',
    'GET /events?access_token=hunter2 HTTP/1.1',
    'Bearer hunter2',
    'refused: authorization was "bearer hunter2"',
  ])('[LG3] nor what looks like a token inside a text: %s', (text) => {
    const line = lineOf({ event: 'x', note: text, list: [text], error: new Error(text) })
    expect(line).not.toContain('hunter2')
    expect(line).toContain('[redacted]')
  })
  it('[LG4] nor a JWT', () => {
    expect(lineOf({ event: 'x', note: `came with ${JWT}.` })).not.toContain('eyJ')
  })
  it('[LG5] leaves everything else as it is', () => {
    const entry = {
      event: 'auth.refused',
      tokens: 12,
      subject: 'anonymous/4f2a',
      path: '/relay?x=1',
      isOpen: true,
      none: null,
      list: [1, 'a'],
    }
    expect(JSON.parse(lineOf(entry))).toMatchObject(entry)
  })
  it('[LG6] an entry without end, a long text and a picture stay small', () => {
    const loop: Record<string, unknown> = { name: 'loop' }
    loop.self = loop
    const long = 'x'.repeat(100_000)
    const line = lineOf({ event: 'x', loop, long, bytes: new Uint8Array(9_000), big: 2n ** 70n, call: () => 1 })
    expect(line.length).toBeLessThan(6_000)
    expect(JSON.parse(line)).toMatchObject({ bytes: '[9000 bytes]', big: '1180591620717411303424' })
  })
})
