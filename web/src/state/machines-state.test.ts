import type { RequestOutcome } from '#shared/client/pending-requests'
import type { MachineHistoryPoint, MachineStatus } from '#shared/protocol/machine'
import { describe, expect, it } from 'vitest'
import { createFakeClock } from '../../../shared/testing/fake-clock.ts'
import type { MachineQuestion, MachinesLink, MachinesLinkListener } from '../link/machines-link.ts'
import { createMachinesState, MAX_POINTS } from './machines-state.svelte.ts'
import { createRememberedToken } from './remembered-token.ts'

const INFO = { machine: 'a', name: 'A', driver: 'simulated', positions: 10, firstBucket: 1 }
const STATUS: MachineStatus = {
  ...{ machine: 'a', name: 'A', time: 0, quality: 'good', position: 3, positions: 10, isMoving: false, direction: 'none' },
  ...{ mode: 'remote', isReady: true, hasAlarm: false, isEmergencyStopped: false, hasDriveFault: false, hasPositioningError: false },
  connection: 'connected',
}
const OPERATOR = { kind: 'open', roles: ['operator'] } as const

/** A link of which the test decides what the relay says; the real one is tested in `link/`. */
function setUp(remembered?: string) {
  const clock = createFakeClock(1_000_000)
  const opened: (string | undefined)[] = []
  const asked: MachineQuestion[] = []
  const answers: ((outcome: RequestOutcome) => void)[] = []
  let listener: MachinesLinkListener | undefined
  let onPoint: (point: MachineHistoryPoint) => void = () => {}
  const link: MachinesLink = {
    open(token, next) {
      opened.push(token)
      listener = next
    },
    close: () => void (listener = undefined),
    retryNow() {},
    ask(question) {
      if (question.to === 'machines') {
        const data = question.method === 'list' ? { machines: [INFO], mode: 'multi-plc' } : { alarms: [] }
        return Promise.resolve({ kind: 'replied', data })
      }
      asked.push(question)
      return new Promise((resolve) => answers.push(resolve))
    },
    followHistory(_machine, next) {
      onPoint = next
      return () => void (onPoint = () => {})
    },
  }
  const tab = new Map<string, string>(remembered === undefined ? [] : [['semblante.admin-token', remembered]])
  const storage = {
    getItem: (key: string) => tab.get(key) ?? null,
    setItem: (key: string, value: string) => void tab.set(key, value),
    removeItem: (key: string) => void tab.delete(key),
  }
  let keys = 0
  const machines = createMachinesState({
    ...{ link, clock, remembered: createRememberedToken(() => storage) },
    makeKey: () => `key-${(keys += 1)}`,
  })
  const stop = machines.start()
  const say = (): MachinesLinkListener => {
    if (listener === undefined) throw new Error('the link is closed')
    return listener
  }
  return { machines, clock, opened, asked, answers, tab, stop, say, point: (point: MachineHistoryPoint) => onPoint(point) }
}

/** Somebody who may command, beside a machine that is ready. */
async function setUpReady() {
  const all = setUp()
  all.say().onStatus(OPERATOR)
  all.say().onMachine(STATUS, 250)
  await settle()
  return all
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 8; turn += 1) await Promise.resolve()
}

describe('machines', () => {
  it('[MP12] shows each machine with its state and when that was read, and keeps both while the relay is away', async () => {
    const { machines, say } = await setUpReady()
    expect(machines.machines).toEqual([{ machine: 'a', name: 'A', positions: 10, firstBucket: 1, status: STATUS, readAt: 999_750 }])
    say().onStatus({ kind: 'away', since: 1_000_000 })
    expect(machines.find('a')?.status).toEqual(STATUS)
    expect(machines.obstacleTo('stop', 'a')).toBe('offline')
  })

  it('[MP13] sends a command once, with a key of its own, and says what became of it', async () => {
    const { machines, asked, answers } = await setUpReady()
    const moved = machines.move('a', 7)
    expect(asked).toMatchObject([{ to: 'machine/a', method: 'move', data: { position: 7 }, key: 'key-1' }])
    expect(machines.outcomeOf('a')).toEqual({ kind: 'waiting' })
    answers[0]?.({ kind: 'failed', failure: { code: 'machine.manual_mode', message: '' } })
    await moved
    expect(machines.outcomeOf('a')).toEqual({ kind: 'failed', code: 'machine.manual_mode' })
    void machines.move('a', 7)
    expect(asked.map(({ key }) => key)).toEqual(['key-1', 'key-2'])
  })

  it('[MP14] sends nothing again after the relay was away', async () => {
    const { machines, asked, answers, say, clock } = await setUpReady()
    const moved = machines.move('a', 7)
    say().onStatus({ kind: 'away', since: clock.now() })
    answers[0]?.({ kind: 'failed', failure: { code: 'request.target_gone', message: '' } })
    await moved
    await machines.move('a', 8)
    await machines.stop('a')
    say().onStatus(OPERATOR)
    say().onMachine(STATUS, 0)
    clock.advance(120_000)
    await settle()
    expect(asked).toHaveLength(1)
    expect(machines.outcomeOf('a')).toEqual({ kind: 'failed', code: 'request.target_gone' })
  })

  it('[MP15] asks nothing that an interlock, a lease or a missing right forbids, but a stop', async () => {
    const { machines, asked, say } = await setUpReady()
    say().onMachine({ ...STATUS, isMoving: true, lease: { by: 'x', until: 5 } }, 0)
    await machines.move('a', 1)
    await machines.reset('a')
    await machines.lease('a')
    expect(asked).toEqual([])
    void machines.stop('a')
    expect(asked.map(({ method }) => method)).toEqual(['stop'])
    say().onStatus({ kind: 'open', roles: ['viewer'] })
    await machines.stop('a')
    expect(asked).toHaveLength(1)
  })

  it('[MP16] the outcome shown is that of what was asked last: a stop that replaces a move', async () => {
    const { machines, answers, say } = await setUpReady()
    const moved = machines.move('a', 7)
    say().onMachine({ ...STATUS, isMoving: true }, 0)
    const stopped = machines.stop('a')
    answers[1]?.({ kind: 'replied', data: {} })
    await stopped
    answers[0]?.({ kind: 'failed', failure: { code: 'machine.busy', message: '' } })
    await moved
    expect(machines.outcomeOf('a')).toEqual({ kind: 'taken' })
  })

  it('[MP17] knows its own lease from that of others, and that it ended with the connection', async () => {
    const { machines, answers, say } = await setUpReady()
    const leased = machines.lease('a')
    say().onMachine({ ...STATUS, lease: { by: 'me', until: 50 } }, 0)
    expect(machines.isLeaseMine('a')).toBe(false)
    answers[0]?.({ kind: 'replied', data: { machine: 'a', by: 'me', until: 50 } })
    await leased
    expect(machines.isLeaseMine('a')).toBe(true)
    say().onMachine({ ...STATUS, lease: { by: 'me', until: 99 } }, 0)
    expect(machines.obstacleTo('move', 'a')).toBe('reserved')
    say().onMachine({ ...STATUS, lease: { by: 'me', until: 50 } }, 0)
    say().onStatus({ kind: 'away', since: 1 })
    say().onStatus(OPERATOR)
    expect(machines.isLeaseMine('a')).toBe(false)
  })

  it('[MP18] keeps one entry per alarm at its last step, until it is cleared', async () => {
    const { machines, say } = await setUpReady()
    const alarm = { machine: 'a', alarm: 'x', kind: 'alarm', state: 'raised', raisedAt: 1, time: 1 } as const
    say().onAlarm(alarm)
    say().onAlarm({ ...alarm, state: 'acknowledged', acknowledgedBy: 'me' })
    expect(machines.alarmsOf('a')).toMatchObject([{ alarm: 'x', state: 'acknowledged' }])
    say().onAlarm({ ...alarm, state: 'cleared' })
    expect(machines.alarmsOf('a')).toEqual([])
  })

  it('[MP19] tries the token this tab remembers, forgets one the relay will not have and goes on as anybody', () => {
    const { machines, opened, say, tab } = setUp('old')
    expect(opened).toEqual(['old'])
    say().onStatus({ kind: 'denied', isToken: true, code: 'auth.token_expired' })
    expect(opened).toEqual(['old', undefined])
    expect([tab.size, machines.denied, machines.hasToken]).toEqual([0, 'auth.token_expired', false])
    machines.submit('new', true)
    expect(tab.size).toBe(0)
    say().onStatus(OPERATOR)
    expect([tab.get('semblante.admin-token'), machines.denied, machines.mayCommand]).toEqual(['new', undefined, true])
    machines.leave()
    expect([tab.size, opened.at(-1)]).toEqual([0, undefined])
  })

  it('[MP20] keeps no more history than fits, and none of another machine', async () => {
    const { machines, point } = await setUpReady()
    const end = machines.follow('a')
    for (let time = 0; time < MAX_POINTS + 5; time += 1) point({ machine: 'a', time, state: 'still', position: 1 })
    expect([machines.points.length, machines.points[0]?.time]).toEqual([MAX_POINTS, 5])
    end()
    expect(machines.points).toEqual([])
  })

  it('[MP21] leaves no timer behind and hears no answer after the pages are closed', async () => {
    const { machines, answers, clock, stop } = await setUpReady()
    const moved = machines.move('a', 7)
    stop()
    answers[0]?.({ kind: 'replied', data: {} })
    await moved
    expect(machines.outcomeOf('a')).toEqual({ kind: 'waiting' })
    expect(clock.pendingTimers()).toBe(0)
  })
})
