/** What is needed to compare engines. Loaded when that is done, or the settings open, so that the first reading does not wait for it. */
import type { EngineParts } from './state/engine-state.svelte.ts'
import { listEngines, pickEngine } from './vision/engine-choice.ts'
import type { Machine } from './vision/engine.ts'
import { findGpu } from './vision/find-gpu.ts'
import { measureEngines, type MeasureEnginesOptions } from './vision/measure-engines.ts'

export interface EnginePartsDeps extends Pick<MeasureEnginesOptions, 'vision' | 'wait'> {
  readonly machine: Machine
  readonly allowsSoftwareGpu: boolean
}

export function createEngineParts({ machine, allowsSoftwareGpu, vision, wait }: EnginePartsDeps): EngineParts {
  return {
    list: async (mayFetchGpu) => listEngines(machine, await findGpu(navigator, allowsSoftwareGpu), mayFetchGpu),
    measure: (options) => measureEngines({ ...options, vision, wait }),
    pick: pickEngine,
  }
}
