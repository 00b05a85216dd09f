import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createFakeClock } from '#shared/testing/fake-clock'
import { createKeptLog } from '#shared/testing/kept-log'
import { createSeededRandom } from '#shared/testing/seeded-random'
import { createSimulatedCarousel } from '../../plc/simulated/simulated-carousel.ts'
import type { CarouselReading, PlcDriver, PlcReadResult } from '../../ports.ts'
import { createDevice } from './device.ts'
import { MACHINE_TIMES } from './machine-setup.ts'
import type { Known } from './reading-quality.ts'
import { buildStage, pass, setStage, settle, type Asked, type MachineStage } from './testing/machine-stage.ts'

const codeOf = ({ outcome }: Asked): string | undefined =>
  outcome?.ok === false ? outcome.failure.code : outcome?.ok === true ? 'ok' : undefined
const valueOf = ({ outcome }: Asked): unknown => (outcome?.ok === true ? outcome.value : outcome)
const statusesOf = (stage: MachineStage, machine = 'one') => stage.said('machineStatus', `machine/${machine}/status`)

describe('what is told of machines', () => {
  it('[MS1] the state at once, on change, and every five seconds', async () => {
    const stage = await setStage()
    expect(statusesOf(stage)).toMatchObject([{ quality: 'good', connection: 'connected', machine: 'one', name: 'Machine one', raw: 21 }])
    await stage.pass(4_500)
    expect(statusesOf(stage)).toHaveLength(1)
    await stage.pass(500)
    expect(statusesOf(stage)).toHaveLength(2)
    stage.carousel('one').controls.setMode('manual')
    await stage.pass(250)
    expect(statusesOf(stage)[2]).toMatchObject({ mode: 'manual', isReady: false })
    const [first, second] = statusesOf(stage)
    expect((second?.time ?? 0) - (first?.time ?? 0)).toBeGreaterThan(4_000)
  })
  it('[MS2] stale with the last values, their time and the reason when it stops answering, and good again, logging each once', async () => {
    const stage = await setStage()
    const read = statusesOf(stage)[0]
    stage.carousel('one').controls.setFault({ kind: 'unreachable' })
    await stage.pass(2_000)
    const stale = statusesOf(stage)[1]
    expect(stale).toMatchObject({ quality: 'stale', connection: 'disconnected', position: read?.position, reason: expect.any(String) })
    expect(statusesOf(stage)).toHaveLength(2)
    stage.carousel('one').controls.setFault(undefined)
    await stage.pass(3_000)
    expect(statusesOf(stage)[2]).toMatchObject({ quality: 'good', connection: 'connected' })
    const logged = stage.log.entries.filter(({ event }) => event === 'machine.quality_changed')
    expect(logged.map(({ machine, quality }) => [machine, quality])).toEqual([
      ['one', 'stale'],
      ['one', 'good'],
    ])
  })
  it('[MS3] bad while it was never read; error when it answers what cannot be; positions are checked', async () => {
    const stage = buildStage()
    const dead: PlcDriver = {
      start: () => Promise.resolve(),
      read: () => Promise.resolve({ ok: false, problem: 'gone' }),
      write: () => Promise.resolve({ ok: true }),
      stop: () => Promise.resolve(),
    }
    const two = stage.setup('two')
    const machines = [stage.setup('one', { openDriver: () => Promise.resolve(dead) }), two]
    stage.service.start(stage.layout(machines), [])
    await stage.pass(250)
    expect(statusesOf(stage)).toMatchObject([{ quality: 'bad', connection: 'disconnected', reason: 'gone', isReady: false }])
    stage.carousel('two').controls.setFault({ kind: 'garbage' })
    await stage.pass(1_000)
    expect(statusesOf(stage, 'two').at(-1)).toMatchObject({ quality: 'stale', connection: 'error' })
  })
  it('[MS4] overdue: a device that falls silent is stale after two seconds though its call still hangs', async () => {
    const stage = await setStage()
    stage.carousel('one').controls.setFault({ kind: 'silent' })
    await stage.pass(2_500)
    expect(statusesOf(stage).at(-1)).toMatchObject({ quality: 'stale', reason: 'No reading came for 2 s.' })
  })
  it('[MS5] lists the machines, tells one or all, and knows no others', async () => {
    const stage = await setStage()
    const viewer = stage.connect('vera', ['viewer'])
    const asked = [
      viewer.ask('machines', 'list'),
      viewer.ask('machines', 'status', { machine: 'two' }),
      viewer.ask('machines', 'status'),
      viewer.ask('machines', 'status', { machine: 'three' }),
      viewer.ask('machines', 'alarms', { machine: 7 }),
      viewer.ask('machines', 'sing'),
    ]
    await stage.pass(0)
    expect(asked.map(codeOf)).toEqual(['ok', 'ok', 'ok', 'machine.unknown', 'machine.unknown', 'request.unknown_method'])
    expect(asked.slice(0, 3).map(valueOf)).toMatchObject([
      { mode: 'multi-plc', machines: [{ machine: 'one', driver: 'simulated', positions: 10, firstBucket: 1 }, { machine: 'two' }] },
      { machine: 'two', quality: 'good' },
      { statuses: [{ machine: 'one' }, { machine: 'two' }] },
    ])
  })
})

describe('alarms and history', () => {
  it('[MS6] an alarm is raised, acknowledged by somebody, cleared, each once, with one id', async () => {
    const stage = await setStage()
    const tablet = stage.connect('ana')
    const alarms = (): readonly { readonly alarm: string; readonly kind: string; readonly state: string }[] =>
      stage.said('machineAlarm', 'machine/one/alarm')
    stage.carousel('one').controls.setEmergencyStop(true)
    await stage.pass(1_000)
    const raised = alarms()[0]
    const listed = tablet.ask('machines', 'alarms')
    const acknowledged = [1, 2].map(() => tablet.ask('machine/one', 'acknowledge', { alarm: raised?.alarm }))
    const wrong = tablet.ask('machine/one', 'acknowledge', { alarm: 'x' })
    await stage.pass(500)
    expect([...acknowledged, wrong].map(codeOf)).toEqual(['ok', 'ok', 'machine.invalid_command'])
    expect(valueOf(listed)).toMatchObject({ alarms: [{ alarm: raised?.alarm, state: 'raised' }] })
    stage.carousel('one').controls.setEmergencyStop(false)
    await stage.pass(500)
    expect(alarms()).toMatchObject([
      { kind: 'emergencyStop', state: 'raised' },
      { state: 'acknowledged', acknowledgedBy: 'ana' },
      { state: 'cleared', acknowledgedBy: 'ana' },
    ])
    expect(new Set(alarms().map(({ alarm }) => alarm)).size).toBe(1)
  })
  it('[MS7] an unreachable machine is an alarm after ten seconds, and what it said before is not cleared by its silence', async () => {
    const stage = await setStage()
    const kinds = (): readonly string[] => stage.said('machineAlarm', 'machine/one/alarm').map(({ kind, state }) => `${kind} ${state}`)
    stage.carousel('one').controls.raiseAlarm()
    await stage.pass(500)
    stage.carousel('one').controls.setFault({ kind: 'unreachable' })
    await stage.pass(9_000)
    expect(kinds()).toEqual(['alarm raised'])
    await stage.pass(12_000)
    expect(kinds()).toEqual(['alarm raised', 'unreachable raised'])
    stage.carousel('one').controls.setFault(undefined)
    await stage.pass(11_000)
    expect(kinds()).toEqual(['alarm raised', 'unreachable raised', 'unreachable cleared'])
  })
  it('[MS8] history has a point for each change of state or position and none in between', async () => {
    const stage = await setStage()
    const start = statusesOf(stage)[0]?.position ?? 0
    const [next, target] = [(start + 1) % 10, (start + 2) % 10]
    stage.connect('ana').ask('machine/one', 'move', { position: target })
    await stage.pass(20_000)
    stage.carousel('one').controls.setFault({ kind: 'unreachable' })
    await stage.pass(1_000)
    expect(stage.said('machineHistory', 'machine/one/history').map(({ state, position }) => [state, position])).toEqual([
      ['still', start],
      ['up', start],
      ['up', next],
      ['still', target],
      ['unknown', undefined],
    ])
  })
})

describe('the lease', () => {
  it('[MS9] reserves the machine for one connection, for a while; others may only stop it', async () => {
    const stage = await setStage()
    const [ana, ben] = [stage.connect('ana'), stage.connect('ben')]
    const lease = ana.ask('machine/one', 'lease', { seconds: 60 })
    await stage.pass(250)
    expect(valueOf(lease)).toMatchObject({ machine: 'one', by: 'ana' })
    expect(statusesOf(stage).at(-1)).toMatchObject({ lease: { by: 'ana' } })
    const asked = [ben.ask('machine/one', 'reset'), ben.ask('machine/one', 'lease', { seconds: 5 }), ben.ask('machine/one', 'release')]
    await stage.pass(250)
    expect(asked.map(codeOf)).toEqual(['machine.reserved', 'machine.reserved', 'machine.reserved'])
    const [own, stop] = [ana.ask('machine/one', 'reset'), ben.ask('machine/two', 'reset')]
    await stage.pass(500)
    const foreignStop = ben.ask('machine/one', 'stop')
    await stage.pass(60_000)
    expect([own, stop, foreignStop].map(codeOf)).toEqual(['ok', 'ok', 'ok'])
    expect(statusesOf(stage).at(-1)).not.toHaveProperty('lease')
    const after = ben.ask('machine/one', 'reset')
    await stage.pass(500)
    expect(codeOf(after)).toBe('ok')
  })
  it('[MS10] ends when its holder leaves or releases it, or an administrator does; asks for seconds that make sense', async () => {
    const stage = await setStage()
    const [ana, ben, root] = [stage.connect('ana'), stage.connect('ben'), stage.connect('root', ['admin'])]
    const isHeld = (): boolean => statusesOf(stage).at(-1)?.lease !== undefined
    for (const end of [() => void ana.ask('machine/one', 'release'), () => void root.ask('machine/one', 'release'), () => ana.leave()]) {
      ana.ask('machine/one', 'lease', { seconds: 60 })
      await stage.pass(250)
      expect(isHeld()).toBe(true)
      end()
      await stage.pass(250)
      expect(isHeld()).toBe(false)
    }
    const wrong = [undefined, {}, { seconds: 0 }, { seconds: 3_601 }, { seconds: '5' }].map((data) => ben.ask('machine/one', 'lease', data))
    await stage.pass(250)
    expect(new Set(wrong.map(codeOf))).toEqual(new Set(['machine.invalid_command']))
  })
})

describe('the record of leases', () => {
  it('[ML1] says who reserved, extended and released, how it ended otherwise, and what was refused', async () => {
    const stage = await setStage()
    const [ana, ben, root] = [stage.connect('ana'), stage.connect('ben'), stage.connect('root', ['admin'])]
    const deeds: readonly (() => unknown)[] = [
      () => ana.ask('machine/one', 'lease', { seconds: 60 }),
      () => ana.ask('machine/one', 'lease', { seconds: 90 }),
      () => ben.ask('machine/one', 'lease', { seconds: 5 }),
      () => ben.ask('machine/one', 'release'),
      () => ana.ask('machine/one', 'release'),
      () => ben.ask('machine/one', 'lease', { seconds: 0 }),
      () => ben.ask('machine/one', 'lease', { seconds: 1 }),
      () => stage.pass(1_000),
      () => ben.ask('machine/one', 'lease', { seconds: 60 }),
      () => root.ask('machine/one', 'release'),
      () => ana.ask('machine/one', 'lease', { seconds: 60 }),
      () => ana.leave(),
      () => ben.ask('machine/one', 'lease', { seconds: 60 }),
      () => stage.service.stop(),
    ]
    for (const deed of deeds) {
      await deed()
      await stage.pass(250)
    }
    const { entries } = stage.audit
    expect(entries.map(({ by, name, argument, state, lease, error }) => [by, name, argument, lease ?? `${state} ${error ?? ''}`])).toEqual([
      ['ana', 'lease', 60, 'taken'],
      ['ana', 'lease', 90, 'extended'],
      ['ben', 'lease', 5, 'refused machine.reserved'],
      ['ben', 'release', undefined, 'refused machine.reserved'],
      ['ana', 'release', undefined, 'released'],
      ['ben', 'lease', 0, 'refused machine.invalid_command'],
      ['ben', 'lease', 1, 'taken'],
      ['ben', 'lease', undefined, 'expired'],
      ['ben', 'lease', 60, 'taken'],
      ['root', 'release', undefined, 'released'],
      ['ana', 'lease', 60, 'taken'],
      ['ana', 'lease', undefined, 'left'],
      ['ben', 'lease', 60, 'taken'],
      ['ben', 'lease', undefined, 'ended'],
    ])
    expect(entries.every(({ machine, from, remoteAddress }) => machine === 'one' && from !== '' && remoteAddress === '192.0.2.7')).toBe(
      true,
    )
    // One reservation is one thing in the record, from its beginning to its end.
    const first = entries.filter(({ command }) => command === entries[0]?.command)
    expect(first.map(({ lease }) => lease)).toEqual(['taken', 'extended', undefined, undefined, 'released'])
    expect(new Set(entries.map(({ command }) => command)).size).toBe(6)
  })
  it('[ML2] a machine is reserved only by those whom its file lets command it', async () => {
    const stage = await setStage()
    await stage.service.apply(stage.layout([stage.setup('one', { commandRoles: ['admin'], fingerprint: 'admins' })]))
    await stage.pass(250)
    const [ben, root] = [stage.connect('ben'), stage.connect('root', ['admin'])]
    const asked = [ben.ask('machine/one', 'lease', { seconds: 60 }), root.ask('machine/one', 'lease', { seconds: 60 })]
    await stage.pass(250)
    expect(asked.map(codeOf)).toEqual(['auth.forbidden', 'ok'])
    expect(stage.audit.entries.map(({ by, state }) => [by, state])).toEqual([
      ['ben', 'refused'],
      ['root', 'done'],
    ])
  })
})

describe('a new list while it runs', () => {
  it('[MS11] what has not changed is not touched; what is gone says so; what is new is read', async () => {
    const stage = await setStage()
    const { setup } = stage
    const tablet = stage.connect('ana')
    const target = ((statusesOf(stage)[0]?.position ?? 0) + 2) % 10
    tablet.ask('machine/one', 'move', { position: target })
    await stage.pass(1_000)
    await stage.service.apply(stage.layout([setup('one'), setup('three')]))
    await stage.pass(20_000)
    expect(stage.said('machineCommand', 'machine/one/command').at(-1)?.state).toBe('done')
    expect(statusesOf(stage, 'two').at(-1)).toMatchObject({
      quality: 'bad',
      connection: 'disconnected',
      reason: 'It was taken out of the configuration.',
    })
    expect(statusesOf(stage, 'three').at(-1)).toMatchObject({ quality: 'good' })
    const gone = tablet.ask('machine/two', 'stop')
    await stage.pass(0)
    expect(codeOf(gone)).toBe('request.unknown_target')
  })
  it('[MS11] machines are listed in the order of the file, whichever of them are new', async () => {
    const stage = await setStage()
    await stage.service.apply(stage.layout([stage.setup('three'), stage.setup('two'), stage.setup('one')]))
    const listed = stage.connect('vera', ['viewer']).ask('machines', 'list')
    await stage.pass(0)
    expect(valueOf(listed)).toMatchObject({ machines: [{ machine: 'three' }, { machine: 'two' }, { machine: 'one' }] })
  })
  it('[MS12] what has changed ends and starts anew, its command as unknown', async () => {
    const stage = await setStage()
    stage.connect('ana').ask('machine/one', 'move', { position: ((statusesOf(stage)[0]?.position ?? 0) + 3) % 10 })
    await stage.pass(1_000)
    await stage.service.apply(stage.layout([stage.setup('one', { pollMs: 500, fingerprint: 'slower' }), stage.setup('two')]))
    await stage.pass(2_000)
    expect(stage.said('machineCommand', 'machine/one/command').at(-1)?.state).toBe('unknown')
    expect(statusesOf(stage).at(-1)).toMatchObject({ quality: 'good' })
  })
})

describe('isolation', () => {
  it('[MS13] 100 machines at 250 ms, 10 dead and 10 slow: the p99 age of the others stays under two intervals', async () => {
    const stage = buildStage()
    const names = Array.from({ length: 100 }, (_, index) => `m${String(index)}`)
    stage.service.start(stage.layout(names.map((name) => stage.setup(name))), [])
    await stage.pass(250)
    for (const name of names.slice(0, 10)) stage.carousel(name).controls.setFault({ kind: 'silent' })
    for (const name of names.slice(10, 20)) stage.carousel(name).controls.setFault({ kind: 'slow', delayMs: 3_000 })
    const viewer = stage.connect('vera', ['viewer'])
    const ages: number[] = []
    for (let round = 0; round < 200; round += 1) {
      await stage.pass(75, 25)
      const asked = viewer.ask('machines', 'status')
      await settle()
      const answer = valueOf(asked)
      const statuses =
        typeof answer === 'object' && answer !== null && 'statuses' in answer && Array.isArray(answer.statuses) ? answer.statuses : []
      for (const status of statuses.slice(20)) {
        expect(status).toMatchObject({ quality: 'good' })
        ages.push(stage.clock.now() - Number(status.time))
      }
    }
    ages.sort((one, other) => one - other)
    expect(ages).toHaveLength(200 * 80)
    expect(ages[Math.ceil(ages.length * 0.99) - 1]).toBeLessThan(500)
    await stage.service.stop()
    expect(stage.clock.pendingTimers()).toBe(0)
  }, 60_000)
  it('[MS14] a dead device is asked ever less often, up to every ten seconds, and read again when it lives', async () => {
    let reads = 0
    let isAlive = false
    const clock = createFakeClock()
    const real = createSimulatedCarousel({ clock, random: createSeededRandom(1), positions: 10, wandering: 'never' })
    const driver: PlcDriver = {
      ...real,
      read() {
        reads += 1
        return isAlive ? real.read() : Promise.resolve({ ok: false, problem: 'gone' })
      },
    }
    const { setup, metrics } = buildStage()
    const known: Known[] = []
    const parts = { clock, random: createSeededRandom(2), log: createKeptLog(), metrics, times: MACHINE_TIMES }
    const device = createDevice(setup('one', { openDriver: () => Promise.resolve(driver) }), parts, {
      onKnown: (now) => void known.push(now),
      onReading: () => undefined,
    })
    device.start()
    await pass(clock, 60_000)
    expect(reads).toBeGreaterThan(8)
    expect(reads).toBeLessThan(16)
    isAlive = true
    await pass(clock, 11_000)
    expect(known.at(-1)).toMatchObject({ quality: 'good', link: 'connected' })
    await device.stop()
    await device.stop()
    expect(clock.pendingTimers()).toBe(0)
  })
  it('[MS15] a driver that throws, or whose library does not load, is bad news of one machine only', async () => {
    const stage = buildStage()
    const broken = {
      ...createSimulatedCarousel({ clock: stage.clock, random: createSeededRandom(1), positions: 10 }),
      read: () => Promise.reject(new Error('a defect')),
    }
    const machines = [
      stage.setup('one', { openDriver: () => Promise.reject(new Error('no library')) }),
      stage.setup('three', { openDriver: () => Promise.resolve(broken) }),
      stage.setup('two'),
    ]
    stage.service.start(stage.layout(machines), [])
    await stage.pass(2_000)
    expect([
      statusesOf(stage).at(-1)?.quality,
      statusesOf(stage, 'three').at(-1)?.quality,
      statusesOf(stage, 'two').at(-1)?.quality,
    ]).toEqual(['bad', 'bad', 'good'])
  })
})

/** Finer than any interval here. */
const STEP_MS = 25

describe('the truth', () => {
  const fault = fc.constantFrom('good', 'other', 'refused', 'garbled', 'impossible', 'late', 'never', 'throws')
  it('[MS16] no sequence of faults makes it report good quality for a value it did not read, or good for long', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fault, fc.integer({ min: 50, max: 4_000 })), { minLength: 1, maxLength: 25 }), async (script) => {
        const clock = createFakeClock()
        const { setup, metrics } = buildStage()
        /** Every value that was read, with the time it was read at. */
        const read = new Map<number, number>()
        const toldLate: number[] = []
        let position = 0
        let at = 0
        const next = (): PlcReadResult => {
          position = (position + 1) % 10
          read.set(position, clock.now())
          return { ok: true, reading: { ...READING, position } }
        }
        const driver: PlcDriver = {
          start: () => Promise.resolve(),
          stop: () => Promise.resolve(),
          write: () => Promise.resolve({ ok: true }),
          read() {
            const [kind, ms] = script[Math.min(at, script.length - 1)] ?? ['good', 100]
            at += 1
            switch (kind) {
              case 'refused':
                return Promise.resolve({ ok: false, problem: 'refused' })
              case 'garbled':
                return Promise.resolve({ ok: false, problem: 'garbled', isGarbled: true })
              case 'impossible':
                return Promise.resolve({ ok: true, reading: { ...READING, position: 10 + ms } })
              case 'late':
                return new Promise((resolve) => void clock.after(ms, () => resolve(next())))
              case 'never':
                return new Promise(() => undefined)
              case 'throws':
                return Promise.reject(new Error('a defect'))
              default:
                return Promise.resolve(next())
            }
          },
        }
        const device = createDevice(
          setup('one', { openDriver: () => Promise.resolve(driver) }),
          { clock, random: createSeededRandom(1), log: createKeptLog(), metrics, times: MACHINE_TIMES },
          { onKnown: () => undefined, onReading: ({ position: told }) => void toldLate.push(clock.now() - (read.get(told) ?? 0)) },
        )
        device.start()
        for (let passed = 0; passed < 20_000; passed += STEP_MS) {
          clock.advance(STEP_MS)
          for (let turn = 0; turn < 16; turn += 1) await Promise.resolve()
          const { quality, reading, readAt } = device.known()
          if (quality !== 'good') continue
          // What was read within a step is heard at its end.
          expect(readAt - (read.get(reading?.position ?? -1) ?? 0)).toBeLessThan(STEP_MS)
          expect(clock.now() - readAt).toBeLessThanOrEqual(MACHINE_TIMES.staleMs)
        }
        await device.stop()
        expect(toldLate.every((ms) => ms < STEP_MS)).toBe(true)
      }),
      { numRuns: 100 },
    )
  }, 60_000)
})

const READING: CarouselReading = {
  position: 0,
  positions: 10,
  isMoving: false,
  direction: 'none',
  mode: 'remote',
  isReady: true,
  hasAlarm: false,
  isEmergencyStopped: false,
  hasDriveFault: false,
  hasPositioningError: false,
  raw: undefined,
}
