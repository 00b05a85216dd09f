/**
 * Reads a machines file: ours, or carousel_api's `config_multi_plc.json` and `config.json` as they are. All mistakes are found at once. Total: any
 * text gives machines or at least one mistake. docs/machines-file.md describes ours.
 */
import { readMachine, MACHINE_LIMITS, type MachineEntry } from './machine-entry.ts'
import { createMistakes, type Mistakes } from './mistakes.ts'
import { readMultiPlc, readSinglePlc } from './older-machines.ts'

export interface ParsedMachines {
  /** As carousel_api calls it. */
  readonly mode: 'multi-plc' | 'single-plc'
  readonly machines: readonly MachineEntry[]
  /** What was assumed because an older file does not say it, as sentences. */
  readonly notes: readonly string[]
}

export type MachinesResult =
  { readonly ok: true; readonly parsed: ParsedMachines } | { readonly ok: false; readonly mistakes: readonly string[] }

/** What runs when no file is named. */
const DEMONSTRATION = {
  machines: [
    { id: 'machine_1', name: 'Carrusel Principal', driver: 'simulated', positions: 32 },
    { id: 'machine_2', name: 'Carrusel Secundario', driver: 'simulated', positions: 10 },
  ],
} as const

export function demonstrationMachines(): ParsedMachines {
  const parsed = parseMachines(DEMONSTRATION)
  if (!parsed.ok) throw new Error(parsed.mistakes.join(' '))
  return parsed.parsed
}

export function parseMachinesText(text: string): MachinesResult {
  try {
    return parseMachines(JSON.parse(text.replace(/^\uFEFF/, '')))
  } catch (error) {
    return { ok: false, mistakes: [`The machines file is not JSON: ${error instanceof Error ? error.message : String(error)}`] }
  }
}

export function parseMachines(json: unknown): MachinesResult {
  const mistakes = createMistakes()
  const written = mistakes.object(json, 'The machines file', undefined)
  const notes: string[] = []
  const mode = written !== undefined && isSingle(written) ? 'single-plc' : 'multi-plc'
  const machines = written === undefined ? [] : readMachines(written, { mistakes, notes })
  findTwins(machines, mistakes)
  if (mistakes.count() > 0) return { ok: false, mistakes: mistakes.sentences() }
  return { ok: true, parsed: { mode, machines, notes } }
}

type Written = Readonly<Record<string, unknown>>

function isSingle(written: Written): boolean {
  return !('machines' in written) && !('plc_machines' in written) && 'ip' in written
}

function readMachines(written: Written, found: { readonly mistakes: Mistakes; readonly notes: string[] }): readonly MachineEntry[] {
  const { mistakes, notes } = found
  if ('plc_machines' in written) return readMultiPlc(written['plc_machines'], { mistakes, notes })
  if (isSingle(written)) return readSinglePlc(written, { mistakes, notes })
  if (!('machines' in written)) {
    mistakes.add('The machines file', "expected `machines`, or carousel_api's `plc_machines`, or its `ip` and `port`")
    return []
  }
  mistakes.object(written, 'The machines file', ['machines', '$schema'])
  const items = mistakes.list(written['machines'], 'machines', MACHINE_LIMITS.machines) ?? []
  return items.flatMap((item, index) => readMachine(item, `machines[${String(index)}]`, mistakes) ?? [])
}

function findTwins(machines: readonly MachineEntry[], mistakes: Mistakes): void {
  const ids = new Set<string>()
  const addresses = new Map<string, string>()
  for (const { id, driver, address } of machines) {
    if (ids.has(id)) mistakes.add('machines', `expected ids that differ; ${JSON.stringify(id)} stands there twice`)
    ids.add(id)
    // A simulated machine is not reached by its address.
    const at = address === undefined || driver === 'simulated' ? undefined : `${address.host}:${String(address.port)}`
    const twin = at === undefined ? undefined : addresses.get(at)
    if (at !== undefined && twin !== undefined && twin !== id) {
      mistakes.add('machines', `expected addresses that differ, as a device takes one client only; ${twin} and ${id} are both at ${at}`)
    }
    if (at !== undefined) addresses.set(at, id)
  }
}
