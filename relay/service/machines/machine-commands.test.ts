import { describe, expect, it } from 'vitest'
import type { MachineCommandEvent, MachineStatus } from '#shared/protocol/machine'
import { setStage, type Asked, type MachineStage } from './testing/machine-stage.ts'

const TOPIC = 'machine/one/command'
/** Longer than any journey of ten buckets. */
const JOURNEY_MS = 45_000

const stepsOf = (stage: MachineStage): readonly MachineCommandEvent[] => stage.said('machineCommand', TOPIC)
const statesOf = (stage: MachineStage): readonly string[] => stepsOf(stage).map(({ state }) => state)
const commandsOf = (stage: MachineStage): readonly string[] =>
  stage
    .carousel('one')
    .controls.commands()
    .map(({ kind }) => kind)
const positionOf = (stage: MachineStage): number => statusOf(stage).position
function statusOf(stage: MachineStage): MachineStatus {
  const status = stage.said('machineStatus', 'machine/one/status').at(-1)
  if (status === undefined) throw new Error('nothing was said')
  return status
}
/** Two buckets on, the way up. */
const aheadOf = (stage: MachineStage, steps = 2): number => (positionOf(stage) + steps) % 10
const codeOf = ({ outcome }: Asked): string | undefined =>
  outcome?.ok === false ? outcome.failure.code : outcome?.ok === true ? 'ok' : undefined
const textOf = ({ outcome }: Asked): string => (outcome?.ok === false ? outcome.failure.message : '')

describe('one command', () => {
  it('[MC1] a move succeeds once the machine was read back moving, is told step by step, and ends in place', async () => {
    const stage = await setStage()
    const start = positionOf(stage)
    const target = aheadOf(stage)
    const asked = stage.connect('ana').ask('machine/one', 'move', { position: target })
    await stage.pass(500)
    const command = { name: 'move', argument: target, by: 'ana' }
    expect(asked.outcome).toMatchObject({ ok: true, value: { state: 'running', status: { isMoving: true, connection: 'busy', command } } })
    await stage.pass(20_000)
    expect(stepsOf(stage).map(({ state, position }) => [state, position])).toEqual([
      ['accepted', start],
      ['running', start],
      ['running', (start + 1) % 10],
      ['done', target],
    ])
    expect(new Set(stepsOf(stage).map((step) => step.command)).size).toBe(1)
    expect(stage.audit.entries.map(({ state, by, from, remoteAddress }) => [state, by, from, remoteAddress])).toEqual([
      ['accepted', 'ana', 'peer/ana', '192.0.2.7'],
      ['done', 'ana', 'peer/ana', '192.0.2.7'],
    ])
    expect(stage.audit.entries[1]).toMatchObject({ before: { position: start }, after: { position: target, isMoving: false } })
    expect(statusOf(stage)).not.toHaveProperty('command')
  })
  it('[MC2] a machine that takes the bytes and does not move is no success', async () => {
    const stage = await setStage()
    stage.carousel('one').controls.setStuck(true)
    const asked = stage.connect('ana').ask('machine/one', 'move', { position: aheadOf(stage) })
    await stage.pass(4_000)
    expect(asked.outcome).toBeUndefined()
    await stage.pass(2_000)
    expect(codeOf(asked)).toBe('machine.not_confirmed')
    expect([statesOf(stage), commandsOf(stage)]).toEqual([['accepted', 'timedOut'], ['move']])
  })
  it('[MC3] where it stands already nothing is sent and all is well', async () => {
    const stage = await setStage()
    const asked = stage.connect('ana').ask('machine/one', 'move', { position: positionOf(stage) })
    await stage.pass(250)
    expect(asked.outcome).toMatchObject({ ok: true, value: { state: 'done' } })
    expect([statesOf(stage), commandsOf(stage)]).toEqual([['accepted', 'done'], []])
  })
  it.each([
    ['move', { position: 10 }, '/data/position'],
    ['move', { position: -1 }, '/data/position'],
    ['move', { position: 2.5 }, '/data/position'],
    ['move', { position: '3' }, '/data/position'],
    ['move', undefined, '/data/position'],
    ['move', [3], '/data/position'],
    ['command', { code: 1 }, '/data/argument'],
    ['command', { code: 1, argument: 10 }, '/data/argument'],
    ['command', { code: 256 }, '/data/code'],
    ['command', { code: 'x' }, '/data/code'],
    ['command', { code: 77 }, '/data/code'],
    ['command', { code: 9, argument: 256 }, '/data/argument'],
    ['command', null, '/data/code'],
  ])('[MC4] refuses %s %j, naming the field, and sends nothing', async (method, data, field) => {
    const stage = await setStage()
    const asked = stage.connect('ana').ask('machine/one', method, data)
    await stage.pass(250)
    expect(asked.outcome).toMatchObject({ ok: false, failure: { code: 'machine.invalid_command', field } })
    expect(commandsOf(stage)).toEqual([])
    expect(stage.audit.entries.map(({ state, error }) => [state, error])).toEqual([['refused', 'machine.invalid_command']])
  })
  it("[MC5] the carousel's own codes mean what they mean, and those that are listed are passed on", async () => {
    const stage = await setStage()
    const tablet = stage.connect('ana')
    const read = tablet.ask('machine/one', 'command', { code: 0 })
    await stage.pass(500)
    expect(read.outcome).toMatchObject({ ok: true, value: { state: 'done', status: { quality: 'good' } } })
    for (const [data, ms] of [
      [{ code: 1, argument: aheadOf(stage) }, JOURNEY_MS],
      [{ code: 2 }, 500],
      [{ code: 3 }, 500],
      [{ code: 4 }, JOURNEY_MS],
      [{ code: 9, argument: 200 }, 500],
    ] as const) {
      const asked = tablet.ask('machine/one', 'command', data)
      await stage.pass(ms)
      expect(codeOf(asked)).toBe('ok')
    }
    expect(stage.carousel('one').controls.commands().slice(1)).toEqual([
      { kind: 'stop' },
      { kind: 'reset' },
      { kind: 'calibrate' },
      { kind: 'raw', code: 9, argument: 200 },
    ])
    expect([positionOf(stage), statesOf(stage).filter((state) => state === 'done')]).toEqual([0, ['done', 'done', 'done', 'done', 'done']])
  })
})

describe('what is in the way', () => {
  it.each([
    ['manual mode', 'machine.manual_mode', 'remote', (stage: MachineStage) => stage.carousel('one').controls.setMode('manual')],
    ['an alarm', 'machine.alarm', 'reset', (stage: MachineStage) => stage.carousel('one').controls.raiseAlarm()],
    ['a drive fault', 'machine.alarm', 'reset', (stage: MachineStage) => stage.carousel('one').controls.failDrive()],
    [
      'the emergency stop',
      'machine.emergency_stop',
      'release',
      (stage: MachineStage) => stage.carousel('one').controls.setEmergencyStop(true),
    ],
    ['silence', 'machine.unreachable', 'cable', (stage: MachineStage) => stage.carousel('one').controls.setFault({ kind: 'unreachable' })],
    ['garbage', 'machine.unreachable', 'cable', (stage: MachineStage) => stage.carousel('one').controls.setFault({ kind: 'garbage' })],
  ])('[MC6] %s answers at once with its code and what to do, and nothing is sent', async (_name, code, hint, spoil) => {
    const stage = await setStage()
    spoil(stage)
    await stage.pass(500)
    const asked = stage.connect('ana').ask('machine/one', 'move', { position: aheadOf(stage) })
    await stage.pass(0)
    expect(codeOf(asked)).toBe(code)
    expect(textOf(asked)).toContain(hint)
    expect(commandsOf(stage)).toEqual([])
    expect(stepsOf(stage)).toMatchObject([{ state: 'refused', error: code, name: 'move' }])
    expect(stage.audit.entries).toMatchObject([{ state: 'refused', error: code, by: 'ana' }])
  })
  it('[MC7] a machine that moves by other means is left alone', async () => {
    const stage = await setStage()
    await stage.carousel('one').write({ kind: 'move', position: aheadOf(stage, 4) })
    await stage.pass(500)
    const asked = stage.connect('ana').ask('machine/one', 'move', { position: 0 })
    await stage.pass(0)
    expect(codeOf(asked)).toBe('machine.moving')
  })
  it('[MC8] a reset clears an alarm and is not stopped by it', async () => {
    const stage = await setStage()
    stage.carousel('one').controls.raiseAlarm()
    await stage.pass(500)
    const asked = stage.connect('ana').ask('machine/one', 'reset')
    await stage.pass(500)
    expect([codeOf(asked), statusOf(stage).hasAlarm]).toEqual(['ok', false])
  })
  it('[MC9] two tablets at once: one is obeyed, the other told who is, and since when', async () => {
    const stage = await setStage()
    const [ana, ben] = [stage.connect('ana'), stage.connect('ben')]
    const target = aheadOf(stage, 3)
    const first = ana.ask('machine/one', 'move', { position: target })
    const second = ben.ask('machine/one', 'move', { position: aheadOf(stage, 5) })
    await stage.pass(500)
    expect([codeOf(first), codeOf(second)]).toEqual(['ok', 'machine.busy'])
    expect(textOf(second)).toMatch(/ana since \d{4}-.*stop/)
    await stage.pass(JOURNEY_MS)
    expect([positionOf(stage), commandsOf(stage)]).toEqual([target, ['move']])
    const other = ben.ask('machine/two', 'reset')
    await stage.pass(500)
    expect(codeOf(other)).toBe('ok')
  })
  it('[MC10] the same key is one command, however often it is asked', async () => {
    const stage = await setStage()
    const tablet = stage.connect('ana')
    const target = aheadOf(stage)
    const asked = [1, 2, 3].map(() => tablet.ask('machine/one', 'move', { position: target }, { key: 'key-1' }))
    await stage.pass(JOURNEY_MS)
    const again = tablet.ask('machine/one', 'move', { position: target }, { key: 'key-1' })
    await stage.pass(250)
    expect([...asked, again].map(codeOf)).toEqual(['ok', 'ok', 'ok', 'ok'])
    expect(commandsOf(stage)).toEqual(['move'])
  })
  it('[MC11] only the roles its operator names command it, and the attempt is on the record', async () => {
    const stage = await setStage()
    const { setup } = stage
    await stage.service.apply({ mode: 'multi-plc', machines: [{ ...setup('one'), commandRoles: ['admin'], fingerprint: 'admins' }] })
    await stage.pass(500)
    const [operator, admin] = [stage.connect('ana'), stage.connect('root', ['admin'])]
    const asked = [operator.ask('machine/one', 'stop'), admin.ask('machine/one', 'stop')]
    await stage.pass(500)
    expect(asked.map(codeOf)).toEqual(['auth.forbidden', 'ok'])
    expect(stage.audit.entries[0]).toMatchObject({ state: 'refused', error: 'auth.forbidden', name: 'stop', by: 'ana' })
  })
})

describe('stopping', () => {
  it('[MC12] a stop is taken in the middle of a move of somebody else, which ends as superseded', async () => {
    const stage = await setStage()
    stage.connect('ana').ask('machine/one', 'move', { position: aheadOf(stage, 4) })
    await stage.pass(8_000)
    const asked = stage.connect('ben').ask('machine/one', 'stop')
    await stage.pass(500)
    expect(asked.outcome).toMatchObject({ ok: true, value: { state: 'done', status: { isMoving: false } } })
    expect(stepsOf(stage).map(({ name, state }) => `${name} ${state}`)).toEqual([
      ...['move accepted', 'move running', 'move running', 'move superseded', 'stop accepted', 'stop done'],
    ])
    expect(stepsOf(stage)[3]?.message).toContain('ben')
  })
  it.each([
    ['in manual mode', (stage: MachineStage) => stage.carousel('one').controls.setMode('manual')],
    ['with the emergency stop pressed', (stage: MachineStage) => stage.carousel('one').controls.setEmergencyStop(true)],
    ['with an alarm', (stage: MachineStage) => stage.carousel('one').controls.raiseAlarm()],
  ])('[MC13] a stop is sent %s', async (_name, spoil) => {
    const stage = await setStage()
    spoil(stage)
    await stage.pass(500)
    const asked = stage.connect('ana').ask('machine/one', 'stop')
    await stage.pass(500)
    expect([codeOf(asked), commandsOf(stage)]).toEqual(['ok', ['stop']])
  })
  it('[MC14] a stop that comes before the move was handed over keeps it from being sent at all', async () => {
    const stage = await setStage()
    stage.carousel('one').controls.setFault({ kind: 'slow', delayMs: 1_000 })
    await stage.pass(250)
    stage.connect('ana').ask('machine/one', 'move', { position: aheadOf(stage, 4) })
    const stop = stage.connect('ben').ask('machine/one', 'stop')
    await stage.pass(6_000)
    expect([codeOf(stop), commandsOf(stage)]).toEqual(['ok', ['stop']])
    expect(stage.audit.entries.map(({ name, state }) => `${name} ${state}`).sort()).toEqual([
      ...['move accepted', 'move superseded', 'stop accepted', 'stop done'],
    ])
  })
})

describe('faults in the middle', () => {
  it('[MC15] cable pulled in the middle of a move: stale, and nothing is sent again but the stop that somebody sends', async () => {
    const stage = await setStage()
    const target = aheadOf(stage, 3)
    stage.connect('ana').ask('machine/one', 'move', { position: target })
    await stage.pass(3_000)
    stage.carousel('one').controls.setFault({ kind: 'silent' })
    await stage.pass(3_000)
    expect(statusOf(stage)).toMatchObject({ quality: 'stale', connection: 'disconnected' })
    const stop = stage.connect('ben').ask('machine/one', 'stop')
    stage.carousel('one').controls.setFault(undefined)
    await stage.pass(20_000)
    expect(codeOf(stop)).toBe('ok')
    expect(stepsOf(stage).map(({ name, state }) => `${name} ${state}`)).toContain('move superseded')
    expect([statusOf(stage).quality, commandsOf(stage)]).toEqual(['good', ['move', 'stop']])
  })
  it('[MC29] cable pulled and never noticed by the system: the driver that hangs is left behind, and the end is seen by the next', async () => {
    const stage = await setStage()
    const target = aheadOf(stage, 2)
    stage.connect('ana').ask('machine/one', 'move', { position: target })
    await stage.pass(3_000)
    stage.carousel('one').controls.setFault({ kind: 'silent' })
    await stage.pass(500)
    stage.carousel('one').controls.setFault(undefined)
    await stage.pass(14_000)
    expect(statesOf(stage)).not.toContain('done')
    await stage.pass(1_000)
    expect([statesOf(stage).at(-1), positionOf(stage), commandsOf(stage)]).toEqual(['done', target, ['move']])
  })
  it('[MC16] the device restarts in the middle: what it said before is stale, the command ends by what is read, nothing is sent again', async () => {
    const stage = await setStage()
    const target = aheadOf(stage, 3)
    stage.connect('ana').ask('machine/one', 'move', { position: target })
    await stage.pass(3_000)
    stage.carousel('one').controls.setFault({ kind: 'unreachable' })
    await stage.pass(12_000)
    expect(statusOf(stage)).toMatchObject({ quality: 'stale', connection: 'disconnected' })
    expect(statesOf(stage)).not.toContain('done')
    stage.carousel('one').controls.setFault(undefined)
    await stage.pass(20_000)
    expect([statesOf(stage).at(-1), commandsOf(stage), statusOf(stage).quality]).toEqual(['done', ['move'], 'good'])
  })
  it('[MC17] never seen again: the command ends as timed out, and no sooner than its journey may take', async () => {
    const stage = await setStage({ times: { bucketMs: 8_000 } })
    stage.connect('ana').ask('machine/one', 'move', { position: aheadOf(stage, 2) })
    await stage.pass(3_000)
    stage.carousel('one').controls.setFault({ kind: 'unreachable' })
    await stage.pass(40_000)
    expect(statesOf(stage).at(-1)).toBe('running')
    await stage.pass(45_000)
    expect(stepsOf(stage).at(-1)).toMatchObject({ state: 'timedOut', error: 'machine.not_confirmed' })
    expect(commandsOf(stage)).toEqual(['move'])
  })
  it('[MC18] the acknowledgement is lost: what counts is that the machine is seen to move', async () => {
    const stage = await setStage()
    stage.carousel('one').controls.setFault({ kind: 'deafAfterSend' })
    const asked = stage.connect('ana').ask('machine/one', 'move', { position: aheadOf(stage) })
    await stage.pass(JOURNEY_MS)
    expect([codeOf(asked), statesOf(stage).at(-1), commandsOf(stage)]).toEqual(['ok', 'done', ['move']])
  })
  it.each([
    ['the emergency stop', 'machine.emergency_stop', (stage: MachineStage) => stage.carousel('one').controls.setEmergencyStop(true)],
    ['an alarm', 'machine.alarm', (stage: MachineStage) => stage.carousel('one').controls.raiseAlarm()],
    ['the switch to manual', 'machine.manual_mode', (stage: MachineStage) => stage.carousel('one').controls.setMode('manual')],
  ])('[MC19] %s in the middle of a move ends the command as failed', async (_name, error, spoil) => {
    const stage = await setStage()
    stage.connect('ana').ask('machine/one', 'move', { position: aheadOf(stage, 4) })
    await stage.pass(3_000)
    spoil(stage)
    await stage.pass(500)
    expect(stepsOf(stage).at(-1)).toMatchObject({ state: 'failed', error })
  })
  it('[MC20] a machine that stops elsewhere, or beside its bucket, has not arrived', async () => {
    const stage = await setStage()
    const tablet = stage.connect('ana')
    tablet.ask('machine/one', 'move', { position: aheadOf(stage, 4) })
    await stage.pass(3_000)
    await stage.carousel('one').write({ kind: 'stop' })
    await stage.pass(3_000)
    expect(stepsOf(stage).at(-1)).toMatchObject({ state: 'failed', error: 'machine.not_confirmed' })
    stage.carousel('one').controls.missNextBucket()
    tablet.ask('machine/one', 'move', { position: aheadOf(stage, 1) })
    await stage.pass(JOURNEY_MS)
    expect(stepsOf(stage).at(-1)).toMatchObject({ state: 'failed', error: 'machine.alarm' })
    expect(statusOf(stage).hasPositioningError).toBe(true)
  })
  it('[MC21] a command that cannot be handed over in time is not handed over later', async () => {
    const stage = await setStage()
    stage.carousel('one').controls.setFault({ kind: 'slow', delayMs: 8_000 })
    await stage.pass(250)
    const asked = stage.connect('ana').ask('machine/one', 'move', { position: aheadOf(stage) })
    await stage.pass(30_000)
    expect([codeOf(asked), commandsOf(stage)]).toEqual(['machine.unreachable', []])
  })
  it('[MC30] nor after whoever asked has stopped waiting', async () => {
    const stage = await setStage()
    stage.carousel('one').controls.setFault({ kind: 'slow', delayMs: 1_500 })
    await stage.pass(250)
    const asked = stage.connect('ana').ask('machine/one', 'move', { position: aheadOf(stage) }, { deadlineMs: 500 })
    await stage.pass(20_000)
    expect([codeOf(asked), statesOf(stage), commandsOf(stage)]).toEqual(['request.deadline_passed', ['accepted', 'failed'], []])
  })
  it('[MC31] what is in the way of a machine that is read rarely is looked at anew', async () => {
    const stage = await setStage({ machines: [] })
    const machine = stage.setup('one', { pollMs: 60_000, fingerprint: 'rarely' })
    await stage.service.apply(stage.layout([machine]))
    await stage.pass(10_000)
    stage.carousel('one').controls.setMode('manual')
    const asked = stage.connect('ana').ask('machine/one', 'move', { position: aheadOf(stage) })
    await stage.pass(250)
    expect([statusOf(stage).quality, codeOf(asked), commandsOf(stage)]).toEqual(['good', 'machine.manual_mode', []])
  })
  it('[MC22] a device that cannot do it says so', async () => {
    const stage = await setStage()
    stage.carousel('one').controls.setFault({ kind: 'refuses' })
    const asked = stage.connect('ana').ask('machine/one', 'stop')
    await stage.pass(500)
    expect([codeOf(asked), statesOf(stage)]).toEqual(['machine.invalid_command', ['accepted', 'failed']])
  })
  it('[MC23] whoever asked may leave, or lose the right, in the middle: the machine goes on and its end is told', async () => {
    const stage = await setStage()
    const tablet = stage.connect('ana')
    const target = aheadOf(stage)
    tablet.ask('machine/one', 'move', { position: target })
    await stage.pass(3_000)
    tablet.leave()
    await stage.pass(JOURNEY_MS)
    expect([statesOf(stage).at(-1), positionOf(stage), stage.audit.entries.at(-1)?.state]).toEqual(['done', target, 'done'])
  })
})

describe('the record', () => {
  it('[MC24] a disk that refuses: nothing but a stop is commanded, and whoever asked is told', async () => {
    const stage = await setStage()
    stage.audit.isRefusing = true
    const tablet = stage.connect('ana')
    const asked = [tablet.ask('machine/one', 'move', { position: aheadOf(stage) }), tablet.ask('machine/two', 'stop')]
    await stage.pass(500)
    expect(asked.map(codeOf)).toEqual(['machine.audit_failed', 'ok'])
    expect([commandsOf(stage), stage.carousel('two').controls.commands()]).toEqual([[], [{ kind: 'stop' }]])
    stage.audit.isRefusing = false
    const again = tablet.ask('machine/one', 'move', { position: aheadOf(stage) })
    await stage.pass(500)
    expect(codeOf(again)).toBe('ok')
  })
  it('[MC25] the bridge stops in the middle: the command ends as unknown', async () => {
    const stage = await setStage()
    stage.connect('ana').ask('machine/one', 'move', { position: aheadOf(stage, 4) })
    await stage.pass(3_000)
    await stage.service.stop()
    expect(stepsOf(stage).at(-1)).toMatchObject({ state: 'unknown', error: 'machine.not_confirmed' })
    expect(stage.audit.entries.at(-1)?.state).toBe('unknown')
    await stage.service.stop()
    expect(stage.clock.pendingTimers()).toBe(0)
  })
  it('[MC26] what was under way when the relay died is told as unknown, the machine is read again and nothing is sent', async () => {
    const accepted = {
      time: 1,
      machine: 'one',
      command: 'c9',
      name: 'move',
      code: 1,
      argument: 4,
      by: 'ana',
      from: 'peer/1',
      state: 'accepted',
    } as const
    const stage = await setStage({ unfinished: [accepted, { ...accepted, machine: 'gone', command: 'c8' }] })
    await stage.pass(10_000)
    expect(stepsOf(stage)).toMatchObject([{ command: 'c9', state: 'unknown', argument: 4, by: 'ana' }])
    expect(stage.audit.entries.map(({ command, state }) => [command, state])).toEqual([
      ['c9', 'unknown'],
      ['c8', 'unknown'],
    ])
    expect([commandsOf(stage), statusOf(stage).quality]).toEqual([[], 'good'])
  })
  it('[MC27] a flood of refusals fills no disk, and what is missing is counted', async () => {
    const stage = await setStage()
    const tablet = stage.connect('ana')
    for (let round = 0; round < 30; round += 1) {
      for (let one = 0; one < 20; one += 1) tablet.ask('machine/one', 'move', { position: 99 })
      await stage.pass(0)
    }
    expect(stage.audit.entries).toHaveLength(100)
    await stage.pass(1_000)
    tablet.ask('machine/one', 'move', { position: 99 })
    await stage.pass(250)
    expect(stage.audit.entries.at(-1)).toMatchObject({ state: 'refused', suppressed: 500 })
  })
  it('[MC28] what the policy refused before it got here is on the record, if it was for a machine', async () => {
    const stage = await setStage()
    const by = {
      subject: 'eve',
      roles: ['viewer'],
      rights: { subscribe: [], publish: [], request: [] },
      station: undefined,
      expiresAt: 9e15,
    } as const
    const denied = { from: 'peer/9', remoteAddress: '192.0.2.9', by, method: 'move', data: { position: 3 } }
    stage.service.noteDenied({ ...denied, to: 'machine/one' })
    stage.service.noteDenied({ ...denied, to: 'relay' })
    expect(stage.audit.entries).toMatchObject([
      { machine: 'one', name: 'move', argument: 3, by: 'eve', remoteAddress: '192.0.2.9', state: 'refused', error: 'auth.forbidden' },
    ])
  })
})
