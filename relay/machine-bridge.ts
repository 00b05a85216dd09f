/** Puts together the machines: the file that names them, their drivers, the record of commands, and the services. A part of app.ts with a room of its own. */
import type { Config } from './config.ts'
import { DRIVERS } from './plc/driver-registry.ts'
import type { MachineEntry } from './plc/machines-file/machine-entry.ts'
import { createMachinesSource } from './plc/machines-file/machines-source.ts'
import type { ParsedMachines } from './plc/machines-file/parse-machines.ts'
import type { AuditLog, DeniedListener, PlcDriver } from './ports.ts'
import { createLogAudit } from './service/machines/log-audit.ts'
import type { MachineSetup } from './service/machines/machine-setup.ts'
import { createAuditFile } from './storage/audit-file.ts'
import { createMachinesService, type MachineLayout, type MachinesDependencies } from './service/machines/machines-service.ts'

export interface MachineBridge {
  /** Reads the file again; with mistakes in it, everything stays as it was and the log names them. */
  reload(): Promise<void>
  /** Twice is harmless. */
  stop(): Promise<void>
}

export interface OpenBridge {
  /** Begins to read the machines. */
  start(): MachineBridge
  /** Attempts that the policy refused are written down too. */
  readonly noteDenied: DeniedListener
  /** Instead of starting. */
  close(): Promise<void>
}

export type BridgeResult =
  | { readonly ok: true; readonly bridge: OpenBridge }
  | { readonly ok: false; readonly problem: 'machines_wrong' | 'audit_unopenable'; readonly details: readonly string[] }

type Parts = Omit<MachinesDependencies, 'audit' | 'times'>

/** Everything that may be wrong before the relay listens. */
export async function openMachineBridge(config: Config, parts: Parts): Promise<BridgeResult> {
  const { clock, log } = parts
  const source = createMachinesSource(config.machinesFile, clock)
  const read = await source.read()
  if (!read.ok) return { ok: false, problem: 'machines_wrong', details: read.mistakes }
  const audit: AuditLog = config.auditFile === '' ? createLogAudit(log) : createAuditFile({ file: config.auditFile, log })
  const opened = await audit.open()
  if (!opened.ok) return { ok: false, problem: 'audit_unopenable', details: [opened.problem] }
  const service = createMachinesService({ ...parts, audit })

  function toLayout(parsed: ParsedMachines): MachineLayout {
    for (const note of parsed.notes) log.warn({ event: 'machines.assumed', note })
    return { mode: parsed.mode, machines: parsed.machines.map((entry) => toSetup(entry, parts)) }
  }
  async function reload(): Promise<void> {
    const again = await source.read()
    if (again.ok) await service.apply(toLayout(again.parsed))
    else log.error({ event: 'machines.file_wrong', mistakes: again.mistakes })
  }
  function start(): MachineBridge {
    if (!read.ok || !opened.ok) throw new Error('opened without having been read')
    const started = service.start(toLayout(read.parsed), opened.unfinished)
    if (!started.ok) log.error({ event: 'machines.not_started', error: started.failure.message })
    // One reload at a time, in the order they were asked for.
    let last = Promise.resolve()
    const reloadInTurn = (): Promise<void> => (last = last.then(reload))
    const endWatch = source.watch(() => void reloadInTurn())
    return {
      reload: reloadInTurn,
      async stop() {
        endWatch()
        await service.stop()
        await audit.close()
      },
    }
  }
  return { ok: true, bridge: { start, noteDenied: (denied) => service.noteDenied(denied), close: () => audit.close() } }
}

function toSetup(entry: MachineEntry, parts: Parts): MachineSetup {
  const { id, name, driver, description, positions, firstBucket, pollMs, rawCodes, commandRoles } = entry
  const address = driver === 'simulated' ? undefined : entry.address
  return {
    info: { machine: id, name, driver, address, positions, firstBucket, ...(description === undefined ? {} : { description }) },
    ...{ pollMs, rawCodes, commandRoles },
    fingerprint: JSON.stringify(entry),
    openDriver: () => openDriver(entry, parts),
  }
}

async function openDriver(entry: MachineEntry, parts: Parts): Promise<PlcDriver> {
  const { id, driver, address, positions, firstPosition, profile, options } = entry
  const found = DRIVERS.get(driver)
  if (found === undefined) throw new Error(`no driver ${driver}`)
  return found.open({ machine: id, address, positions, firstPosition, profile, options }, parts)
}
