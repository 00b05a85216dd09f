/** Whatever people do and whatever breaks, in any order: each command is sent at most once, has one end, and is on the record. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { WireFault } from '../../plc/simulated/faulty-wire.ts'
import { setStage, type BuiltStage, type Visitor } from './testing/machine-stage.ts'

type Deed = (stage: BuiltStage, visitors: readonly Visitor[]) => void

const ENDS = ['done', 'failed', 'timedOut', 'superseded', 'unknown']

const who = fc.nat(2)
const ask = (method: string, data?: unknown): fc.Arbitrary<Deed> =>
  who.map((index) => (_stage, visitors) => void visitors[index]?.ask('machine/one', method, data))
const FAULTS: readonly (WireFault | undefined)[] = [
  ...[undefined, undefined],
  { kind: 'unreachable' },
  { kind: 'silent' },
  { kind: 'garbage' },
  { kind: 'deafAfterSend' },
  { kind: 'refuses' },
  { kind: 'slow', delayMs: 700 },
  { kind: 'slow', delayMs: 6_000 },
]
const fault = fc.constantFrom(...FAULTS)
const deed: fc.Arbitrary<Deed> = fc.oneof(
  fc.nat(9).chain((position) => ask('move', { position })),
  ask('stop'),
  ask('reset'),
  ask('calibrate'),
  ask('command', { code: 9, argument: 1 }),
  ask('lease', { seconds: 20 }),
  ask('release'),
  fault.map((wire) => (stage: BuiltStage) => stage.carousel('one').controls.setFault(wire)),
  fc.boolean().map((isPressed) => (stage: BuiltStage) => stage.carousel('one').controls.setEmergencyStop(isPressed)),
  fc.constantFrom('remote' as const, 'manual' as const).map((mode) => (stage: BuiltStage) => stage.carousel('one').controls.setMode(mode)),
  fc.constant((stage: BuiltStage) => stage.carousel('one').controls.raiseAlarm()),
  fc.boolean().map((isRefusing) => (stage: BuiltStage) => void (stage.audit.isRefusing = isRefusing)),
)

describe('any order of commands and faults', () => {
  it('[MC32] each command is sent at most once, has one end, one record, and never two run at a time', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(deed, fc.constantFrom(0, 100, 250, 1_000, 5_000)), { minLength: 1, maxLength: 30 }),
        async (script) => {
          const stage = await setStage({ times: { bucketMs: 8_000 } })
          const visitors = ['ana', 'ben', 'eva'].map((name) => stage.connect(name))
          for (const [act, ms] of script) {
            act(stage, visitors)
            await stage.pass(ms, 250)
          }
          stage.carousel('one').controls.setFault(undefined)
          stage.audit.isRefusing = false
          await stage.pass(120_000, 2_000)
          const steps = stage.said('machineCommand', 'machine/one/command')
          const idsOf = (states: readonly string[]): readonly string[] =>
            steps.filter(({ state }) => states.includes(state)).map(({ command }) => command)
          const accepted = idsOf(['accepted'])
          expect(new Set(accepted).size).toBe(accepted.length)
          for (const id of accepted) expect(idsOf(ENDS).filter((ended) => ended === id)).toHaveLength(1)
          expect(stage.carousel('one').controls.commands().length).toBeLessThanOrEqual(accepted.length)
          let running: string | undefined
          for (const { command, state } of steps) {
            if (state === 'accepted') expect(running).toBeUndefined()
            if (state === 'accepted') running = command
            if (ENDS.includes(state) && running === command) running = undefined
          }
          const recorded = stage.audit.entries.filter(({ state }) => state === 'accepted').map(({ command }) => command)
          // A stop is given even where it cannot be written down.
          const stops = new Set(steps.filter(({ name }) => name === 'stop').map(({ command }) => command))
          expect(accepted.every((id) => recorded.includes(id) || stops.has(id))).toBe(true)
          await stage.service.stop()
          expect(stage.clock.pendingTimers()).toBe(0)
        },
      ),
      { numRuns: 60 },
    )
  }, 120_000)
})
