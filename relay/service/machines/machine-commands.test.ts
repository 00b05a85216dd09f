import { describe, expect, it } from 'vitest'
import { setStage } from './testing/machine-stage.ts'

describe('commands to machines', () => {
  it('[MC1] a move succeeds once the machine was read back moving, is told step by step, and ends in place', async () => {
    const stage = await setStage()
    const tablet = stage.connect('ana')
    const start = stage.said('machineStatus', 'machine/one/status').at(-1)?.position ?? 0
    const target = (start + 2) % 10
    const asked = tablet.ask('machine/one', 'move', { position: target })
    await stage.pass(500)
    expect(asked.outcome).toMatchObject({
      ok: true,
      value: { state: 'running', status: { isMoving: true, connection: 'busy', command: { by: 'ana' } } },
    })
    await stage.pass(20_000)
    const steps = stage.said('machineCommand', 'machine/one/command')
    expect(steps.map(({ state, position }) => [state, position])).toEqual([
      ['accepted', start],
      ['running', start],
      ['running', (start + 1) % 10],
      ['done', target],
    ])
    expect(new Set(steps.map(({ command }) => command)).size).toBe(1)
    expect(stage.audit.entries.map(({ state, by, from, remoteAddress }) => [state, by, from, remoteAddress])).toEqual([
      ['accepted', 'ana', 'peer/ana', '192.0.2.7'],
      ['done', 'ana', 'peer/ana', '192.0.2.7'],
    ])
    expect(stage.audit.entries[1]).toMatchObject({ before: { position: start }, after: { position: target, isMoving: false } })
    expect(stage.carousel('one').controls.commands()).toEqual([{ kind: 'move', position: target }])
  })
})
