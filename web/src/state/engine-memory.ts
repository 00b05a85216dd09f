/**
 * What this tablet knows about its engines, kept on it: what a person chose, what was measured, and what failed a short time ago. Says on
 * which engine the next worker runs. Measuring is left to `engine-state.svelte.ts`.
 */
import { isRecord } from '#shared/protocol/record'
import type { EngineMeasurement } from '../vision/engine-choice.ts'
import {
  type Engine,
  type EngineKind,
  type EngineReason,
  type EngineSource,
  isEngineKind,
  type Machine,
  threadsOf,
} from '../vision/engine.ts'
import type { VisionErrorCode } from '../vision/vision-error.ts'
import type { RememberedSettings } from './remembered-settings.ts'

export type EngineChoice = 'auto' | EngineKind

export interface EngineFindings {
  readonly measured: readonly EngineMeasurement[]
  /** What reads while the choice is automatic. */
  readonly picked: EngineKind
  /** Whether all that can be chosen by itself was measured. */
  readonly isComplete: boolean
}

export interface EngineMemory extends EngineSource {
  readonly machine: Machine
  readonly choice: EngineChoice
  /** Undefined until something was found out about this device with this version of the app. */
  readonly findings: EngineFindings | undefined
  /** A person's word counts more than an earlier failure. */
  choose(choice: EngineChoice): void
  keep(findings: EngineFindings): void
  /** Not to be chosen by itself for an hour. */
  bar(kind: EngineKind): void
  isBarred(kind: EngineKind): boolean
}

export interface EngineMemoryDeps {
  readonly remembered: RememberedSettings
  readonly machine: Machine
  /** Changes with the app's version, the browser and the device: what was measured counts under the same one only. */
  readonly key: string
  /** Unix milliseconds. */
  readonly now: () => number
}

/** So long an engine that failed is not tried again. */
export const BAR_MS = 3_600_000
/** Not the engine's fault: another would find the same. */
const SHARED_FAULTS: ReadonlySet<VisionErrorCode> = new Set(['model-missing', 'model-corrupt', 'not-open'])
/** A name in `RememberedSettings` each. */
const CHOICE = 'engine'
const FINDINGS = 'engine-findings'
const BARRED = 'engine-barred'

export function createEngineMemory({ remembered, machine, key, now }: EngineMemoryDeps): EngineMemory {
  let choice = toChoice(remembered.read(CHOICE))
  let findings = parseFindings(remembered.read(FINDINGS), key)
  const barredUntil = parseBarred(remembered.read(BARRED))

  function writeBarred(): void {
    remembered.write(BARRED, JSON.stringify(Object.fromEntries(barredUntil)))
  }

  function isBarred(kind: EngineKind): boolean {
    const leftMs = (barredUntil.get(kind) ?? 0) - now()
    // A clock that was set back must not bar it for years.
    return leftMs > 0 && leftMs <= BAR_MS
  }

  function bar(kind: EngineKind): void {
    // Where would one go from there?
    if (kind === 'single') return
    barredUntil.set(kind, now() + BAR_MS)
    writeBarred()
  }

  function toEngine(kind: EngineKind, why: EngineReason): Engine {
    return { kind, threads: threadsOf(kind, machine), why }
  }

  function next(): Engine {
    const wanted = choice === 'auto' ? (findings?.picked ?? 'single') : choice
    if (isBarred(wanted)) return toEngine('single', 'fell-back')
    if (wanted === 'threads' && threadsOf(wanted, machine) === 1) return toEngine('single', 'only')
    if (choice !== 'auto') return toEngine(wanted, 'by-hand')
    if (findings === undefined) return toEngine(wanted, 'first')
    return toEngine(wanted, findings.measured.length > 1 ? 'measured' : 'only')
  }

  return {
    machine,
    get choice() {
      return choice
    },
    get findings() {
      return findings
    },
    next,
    bar,
    isBarred,
    choose(wanted) {
      choice = wanted
      remembered.write(CHOICE, wanted)
      if (wanted === 'auto' || !barredUntil.delete(wanted)) return
      writeBarred()
    },
    keep(found) {
      findings = found
      remembered.write(FINDINGS, JSON.stringify({ key, ...found }))
    },
    onFailure({ kind }, { code }) {
      if (kind === 'single' || SHARED_FAULTS.has(code)) return false
      bar(kind)
      return true
    },
  }
}

function toChoice(text: string | undefined): EngineChoice {
  return isEngineKind(text) ? text : 'auto'
}

/** What was written by another version, or by hand, counts as nothing. */
function parseFindings(text: string | undefined, key: string): EngineFindings | undefined {
  const value = parseObject(text)
  const { measured, picked, isComplete } = value
  if (value['key'] !== key || !isEngineKind(picked) || typeof isComplete !== 'boolean' || !Array.isArray(measured)) return undefined
  return { picked, isComplete, measured: measured.flatMap(toMeasurement) }
}

function toMeasurement(value: unknown): readonly EngineMeasurement[] {
  if (!isRecord(value)) return []
  const { kind, threads, ms } = value
  if (!isEngineKind(kind) || typeof threads !== 'number') return []
  return [{ kind, threads, ms: typeof ms === 'number' ? ms : undefined }]
}

function parseBarred(text: string | undefined): Map<EngineKind, number> {
  const until = new Map<EngineKind, number>()
  for (const [kind, time] of Object.entries(parseObject(text))) {
    if (isEngineKind(kind) && typeof time === 'number') until.set(kind, time)
  }
  return until
}

function parseObject(text: string | undefined): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text ?? '{}')
    return isRecord(value) ? value : {}
  } catch {
    return {}
  }
}
