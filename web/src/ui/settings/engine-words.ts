/** What engines, and why one reads or cannot, are called. */
import { m } from '../../paraglide/messages.js'
import type { Engine, EngineObstacle, EngineOffer, EngineReason } from '../../state/engine-state.svelte.ts'

export function engineName({ kind, threads }: Pick<Engine, 'kind' | 'threads'>, toWhole: (value: number) => string): string {
  switch (kind) {
    case 'single':
      return m.engine_single()
    case 'threads':
      return threads > 1 ? m.engine_threads({ count: toWhole(threads) }) : m.engine_several()
    case 'webgpu':
      return m.engine_webgpu()
  }
}

/** One sentence: what it does, or why it cannot be had. */
export function engineHint({ kind, obstacle, isAutomatic }: EngineOffer): string {
  if (obstacle !== undefined) return obstacleWords(obstacle)
  switch (kind) {
    case 'single':
      return m.engine_single_hint()
    case 'threads':
      return isAutomatic ? m.engine_threads_hint() : m.engine_by_hand_only()
    case 'webgpu':
      return m.engine_webgpu_hint()
  }
}

export function reasonWords(why: EngineReason): string {
  switch (why) {
    case 'first':
      return m.engine_why_first()
    case 'only':
      return m.engine_why_only()
    case 'measured':
      return m.engine_why_measured()
    case 'by-hand':
      return m.engine_why_by_hand()
    case 'fell-back':
      return m.engine_why_fell_back()
  }
}

function obstacleWords(obstacle: EngineObstacle): string {
  switch (obstacle) {
    case 'no-webgpu':
      return m.engine_no_webgpu()
    case 'no-adapter':
      return m.engine_no_adapter()
    case 'software':
      return m.engine_software()
    case 'not-isolated':
      return m.engine_not_isolated()
    case 'one-core':
      return m.engine_one_core()
  }
}
