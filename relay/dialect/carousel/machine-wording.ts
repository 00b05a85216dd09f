/**
 * One machine's status in the words carousel_api's clients read: the documented ones, and the long ones that its server shipped. The polarity of
 * every bit is the real machine's (Delta AS, measured): where documents and releases contradict each other, hardware decides.
 */
import type { MachineStatus } from '#shared/protocol/machine'

/** The eight keys, in the order of the bits of the status byte, bit 0 first. */
export interface StatusWords {
  readonly READY: string
  readonly RUN: string
  readonly MODO_OPERACION: string
  readonly ALARMA: string
  readonly PARADA_EMERGENCIA: string
  readonly VFD: string
  readonly ERROR_POSICIONAMIENTO: string
  readonly SENTIDO_GIRO: string
}

/** What a command or a status request gave in the shipped server. */
export interface ShippedResult {
  readonly status: StatusWords
  /** 0-based. */
  readonly position: number
  /** 0 to 255. */
  readonly raw_status: number
}

/** A machine in `status_broadcast`. Without an `error` all fields but `error` are there; of a machine that is not known there is no position. */
export interface BroadcastEntry {
  readonly status: Partial<StatusWords>
  readonly position: number | null
  readonly raw_status: number | null
  readonly connection_status: MachineStatus['connection']
  readonly error?: string
}

/** The sentences of the shipped server. */
export function wordShipped(status: MachineStatus): StatusWords {
  return {
    READY: isUsable(status) ? 'El equipo está listo para operar' : 'El equipo no puede operar',
    RUN: status.isMoving ? 'El equipo está en movimiento' : 'El equipo no se está posicionando',
    MODO_OPERACION: status.mode === 'remote' ? 'Modo Remoto' : 'Modo Manual',
    ALARMA: status.hasAlarm ? 'Alarma activa' : 'No hay alarma',
    ...wordUndocumented(status),
  }
}

/** The documented words where there are any; the keys the document does not show keep the shipped sentences. */
export function wordDocumented(status: MachineStatus): StatusWords {
  return {
    READY: isUsable(status) ? 'OK' : 'Fallo',
    RUN: status.isMoving ? 'En movimiento' : 'Detenido',
    MODO_OPERACION: status.mode === 'remote' ? 'Remoto' : 'Manual',
    ALARMA: status.hasAlarm ? 'Activa' : 'Desactivada',
    ...wordUndocumented(status),
  }
}

function wordUndocumented(status: MachineStatus): Omit<StatusWords, 'READY' | 'RUN' | 'MODO_OPERACION' | 'ALARMA'> {
  return {
    PARADA_EMERGENCIA: status.isEmergencyStopped ? 'Parada de emergencia presionada y activa' : 'Sin parada de emergencia',
    VFD: status.hasDriveFault ? 'Error en el variador de velocidad' : 'El variador de velocidad está OK',
    ERROR_POSICIONAMIENTO: status.hasPositioningError ? 'Ha ocurrido un error en el posicionamiento' : 'No hay error de posicionamiento',
    SENTIDO_GIRO: status.direction === 'down' ? 'Descendente' : 'Ascendente',
  }
}

/** A machine that cannot be read is not ready, whatever it last said. */
function isUsable({ isReady, quality }: MachineStatus): boolean {
  return isReady && quality === 'good'
}

/** The byte as the device sent it; for devices that send none, as a Delta AS would have sent it. */
export function toRawStatus(status: MachineStatus): number {
  if (status.raw !== undefined) return status.raw
  const bits = [
    status.isReady,
    status.isMoving,
    status.mode === 'remote',
    status.hasAlarm,
    !status.isEmergencyStopped,
    status.hasDriveFault,
    status.hasPositioningError,
    status.direction === 'down',
  ]
  return bits.reduce((byte, isSet, bit) => (isSet ? byte | (1 << bit) : byte), 0)
}

/** Eight characters, bit 0 first: as the deployed branch wrote it. */
export function toRawStatusBits(raw: number): string {
  return raw.toString(2).padStart(8, '0').split('').reverse().join('')
}

export function toShippedResult(status: MachineStatus): ShippedResult {
  return { status: wordShipped(status), position: status.position, raw_status: toRawStatus(status) }
}

/** Both at once: the documented words beside the shipped `{status, position, raw_status}`, so that old readers of either find theirs. */
export function toStatusOfBoth(status: MachineStatus): StatusWords & ShippedResult {
  return { ...wordDocumented(status), ...toShippedResult(status) }
}

export function toBroadcastEntry(status: MachineStatus): BroadcastEntry {
  const { connection } = status
  if (isUnknown(status)) {
    return { status: { READY: 'Fallo' }, position: null, raw_status: null, connection_status: connection, error: describeTrouble(status) }
  }
  return {
    status: wordDocumented(status),
    position: status.position,
    raw_status: toRawStatus(status),
    connection_status: connection,
    ...(status.quality === 'good' ? {} : { error: describeTrouble(status) }),
  }
}

/** Its values are not to be trusted, not even as old ones. */
export function isUnknown({ quality }: MachineStatus): boolean {
  return quality === 'bad'
}

/** Why it cannot be read now. */
export function describeTrouble({ reason }: MachineStatus): string {
  return `Fallo en comunicación PLC: ${reason ?? 'sin respuesta'}`
}
