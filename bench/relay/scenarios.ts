/** What is measured, in full and in a hurry. */
import type { Scenario } from './job.ts'

export const SCENARIO_NAMES = ['saturation', 'paced', 'echo', 'idle', 'accepts'] as const
export type ScenarioName = (typeof SCENARIO_NAMES)[number]

export const PER_SECOND = 50
export const IN_FLIGHT = 16

export function toScenario(name: ScenarioName, isQuick: boolean): Scenario {
  const warmUpMs = isQuick ? 300 : 700
  const measureMs = isQuick ? 500 : 1_000
  const subscribers = isQuick ? 200 : 1_000
  switch (name) {
    case 'saturation':
      return { kind: 'fan-out', connections: subscribers, warmUpMs, measureMs, inFlight: IN_FLIGHT, perSecond: 0 }
    case 'paced':
      return { kind: 'fan-out', connections: subscribers, warmUpMs, measureMs: measureMs * 4, inFlight: IN_FLIGHT, perSecond: PER_SECOND }
    case 'echo':
      return { kind: 'echo', connections: 64, warmUpMs, measureMs }
    case 'idle':
      return { kind: 'idle', connections: isQuick ? 1_000 : 10_000, warmUpMs: 500, measureMs: isQuick ? 500 : 2_000 }
    case 'accepts':
      return { kind: 'accepts', connections: 64, warmUpMs, measureMs }
  }
}
