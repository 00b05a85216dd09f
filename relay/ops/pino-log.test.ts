import { describe, expect, it } from 'vitest'
import { createPinoLog } from './pino-log.ts'

describe('log', () => {
  it('[LG1] writes one JSON line per event from its level up, and redacts what must not be written', () => {
    const lines: string[] = []
    const log = createPinoLog('info', { write: (line) => void lines.push(line) })
    log.debug({ event: 'too.quiet' })
    log.info({ event: 'session.opened', peer: 'peer/1', token: 'secret', nested: { authorization: 'secret', data: 'secret' } })
    log.error({ event: 'process.failed', error: 'why' })
    expect(lines).toHaveLength(2)
    expect(lines.join()).not.toContain('secret')
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'info', event: 'session.opened', peer: 'peer/1' })
    expect(JSON.parse(lines[1] ?? '')).toMatchObject({ level: 'error', error: 'why' })
  })
})
